# vigil_bpf_skeleton(<target> <name> <source>...): compiles each BPF source, links them into one object and generates
# <name>.skel.h. Headers are tracked through the compiler's depfiles, so that a change in bpf/*.h rebuilds what uses it.
# With VIGIL_BPF_FROM, another build directory of this tree, the skeleton of that one is used: nothing of it depends on how user space
# is built. Whoever sets it builds the target bpf_skeletons there first.
set(VIGIL_BPF_FROM "" CACHE PATH "A build directory of this tree whose BPF objects are used")
find_program(BPF_CLANG NAMES clang clang-14 REQUIRED)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
        set(BPF_TARGET_ARCH x86)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64")
        set(BPF_TARGET_ARCH arm64)
else()
        message(FATAL_ERROR "bpf: no syscall register layout for ${CMAKE_SYSTEM_PROCESSOR} in bpf/compat.h")
endif()

# <linux/bpf.h> includes <asm/types.h>, which Debian keeps in the multiarch directory that `-target bpf` does not search.
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-multiarch OUTPUT_VARIABLE BPF_MULTIARCH
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT BPF_MULTIARCH)
        set(BPF_MULTIARCH ${CMAKE_SYSTEM_PROCESSOR}-linux-gnu)
endif()

function(vigil_bpf_skeleton target name)
        add_library(${target} INTERFACE)
        target_link_libraries(${target} INTERFACE PkgConfig::BPF)
        if(NOT ARGN)
                return()
        endif()
        if(VIGIL_BPF_FROM)
                file(RELATIVE_PATH here ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_BINARY_DIR})
                set(include ${VIGIL_BPF_FROM}/${here}/include)
                if(NOT EXISTS ${include}/${name}.skel.h)
                        message(FATAL_ERROR "there is no ${include}/${name}.skel.h: ninja -C ${VIGIL_BPF_FROM} bpf_skeletons")
                endif()
                target_include_directories(${target} SYSTEM INTERFACE ${include})
                return()
        endif()
        set(objects)
        foreach(source ${ARGN})
                get_filename_component(stem ${source} NAME_WE)
                set(object ${CMAKE_CURRENT_BINARY_DIR}/${stem}.bpf.o)
                add_custom_command(
                        OUTPUT ${object}
                        COMMAND ${BPF_CLANG} -target bpf -mcpu=v2 -O2 -g -std=gnu17 -Wall -Wextra -Werror
                                -Wno-unused-parameter -Wno-unused-function -idirafter /usr/include/${BPF_MULTIARCH}
                                -D__TARGET_ARCH_${BPF_TARGET_ARCH} -I${CMAKE_CURRENT_SOURCE_DIR}
                                -MD -MF ${object}.d -MT ${object} -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
                        DEPENDS ${source}
                        DEPFILE ${object}.d
                        COMMENT "BPF ${source}"
                        VERBATIM)
                list(APPEND objects ${object})
        endforeach()
        set(linked ${CMAKE_CURRENT_BINARY_DIR}/${name}.o)
        set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/include/${name}.skel.h)
        add_custom_command(
                OUTPUT ${skeleton}
                COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/include
                COMMAND ${BPFTOOL} gen object ${linked} ${objects}
                COMMAND ${BPFTOOL} gen skeleton ${linked} name ${name}_bpf > ${skeleton}
                DEPENDS ${objects}
                COMMENT "BPF skeleton ${name}"
                VERBATIM)
        add_custom_target(${target}_gen DEPENDS ${skeleton})
        add_dependencies(${target} ${target}_gen)
        if(NOT TARGET bpf_skeletons)
                add_custom_target(bpf_skeletons)
        endif()
        add_dependencies(bpf_skeletons ${target}_gen)
        # SYSTEM: generated code is not ours to hold to -Wconversion.
        target_include_directories(${target} SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR}/include)
endfunction()
