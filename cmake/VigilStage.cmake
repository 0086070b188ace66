# vigil_stage(<name> DEPENDS <stage or target>...): userspace/<name>/*.c as the static library vigil_<name>.
#
# DEPENDS must name only base, engine, config and stages to the left (scripts/check-layers.sh checks the includes). A stage
# that has headers only is an INTERFACE library.
function(vigil_stage name)
        cmake_parse_arguments(STAGE "" "" "DEPENDS" ${ARGN})
        file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.c)
        if(sources)
                add_library(vigil_${name} STATIC ${sources})
                target_link_libraries(vigil_${name} PUBLIC ${STAGE_DEPENDS})
        else()
                add_library(vigil_${name} INTERFACE)
                target_link_libraries(vigil_${name} INTERFACE ${STAGE_DEPENDS})
        endif()
endfunction()
