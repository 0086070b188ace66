# `cmake --install` and `cpack -G DEB`. Everything goes below the prefix but the configuration: the program reads /etc/vigil.

set(share ${CMAKE_SOURCE_DIR}/share)
file(GLOB man_pages_1 CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/*.1)
file(GLOB man_pages_5 CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/*.5)
file(GLOB guides CONFIGURE_DEPENDS docs/*.md)
# As distributions want them; without name and time, so that the same source gives the same package.
find_program(GZIP_PROGRAM gzip REQUIRED)
function(install_compressed file name destination)
        install(CODE "
        file(MAKE_DIRECTORY \"${CMAKE_BINARY_DIR}/compressed\")
        execute_process(COMMAND \"${GZIP_PROGRAM}\" -9nc \"${file}\" OUTPUT_FILE \"${CMAKE_BINARY_DIR}/compressed/${name}.gz\"
                        RESULT_VARIABLE failed)
        if(failed)
                message(FATAL_ERROR \"${file} cannot be compressed: \${failed}\")
        endif()")
        install(FILES ${CMAKE_BINARY_DIR}/compressed/${name}.gz DESTINATION ${destination})
endfunction()
foreach(section 1 5)
        foreach(page ${man_pages_${section}})
                get_filename_component(name ${page} NAME)
                install_compressed(${page} ${name} ${CMAKE_INSTALL_MANDIR}/man${section})
        endforeach()
endforeach()
install_compressed(${share}/deb/changelog changelog.Debian ${CMAKE_INSTALL_DOCDIR})
install(FILES ${share}/deb/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${CMAKE_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${guides} DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
install(FILES ${share}/bash-completion/vigil DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)

# The units name the program by its whole path, which is known only here.
foreach(unit vigil.service vigil-forget.service)
        install(CODE "
        file(READ \"${share}/systemd/${unit}\" unit)
        string(REPLACE \"/usr/bin/vigil \" \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/vigil \" unit \"\${unit}\")
        file(WRITE \"${CMAKE_BINARY_DIR}/${unit}\" \"\${unit}\")")
        install(FILES ${CMAKE_BINARY_DIR}/${unit} DESTINATION lib/systemd/system)
endforeach()

# What an operator has written there stays. In a package dpkg sees to that (conffiles).
install(CODE "
        set(there \"\$ENV{DESTDIR}/etc/vigil/vigil.conf\")
        if(EXISTS \"\${there}\")
                message(STATUS \"Kept: \${there}\")
        else()
                file(INSTALL \"${share}/vigil.conf\" DESTINATION /etc/vigil)
        endif()")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME vigil)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "Vigil developers <vigil@localhost.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "watchdog for databases in the kernel")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "Sees in the kernel (eBPF) what processes do to SQLite databases: writes, syncs, locks, signals and deaths.
When one dies, Vigil says who killed it, what it held, what was not yet durable, and what the next open will do.
It checks the data on a private copy and makes backups that were read back, opened by themselves and checked.")
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Where systemd is not the first process, `vigil run` can be started by anything else.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS systemd)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS sqlite3)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${share}/deb/conffiles ${share}/deb/postinst ${share}/deb/prerm ${share}/deb/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
