# SPDX-License-Identifier: Apache-2.0
# What tests in JavaScript have in common. They run the module in a real Mosquitto.
find_program(NODE_EXECUTABLE NAMES node nodejs)
set(INVIG_NODE_MISSING "")
if(NOT NODE_EXECUTABLE)
    set(INVIG_NODE_MISSING "node is missing")
elseif(NOT EXISTS ${PROJECT_SOURCE_DIR}/tests/node_modules/mqtt)
    set(INVIG_NODE_MISSING "tests/node_modules is missing (npm ci in tests)")
elseif(INVIG_SANITIZE AND NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
    # Clang's sanitizers come without a shared library that Mosquitto could be started with.
    set(INVIG_NODE_MISSING "${CMAKE_C_COMPILER_ID} has no sanitizers for them")
endif()

set(INVIG_NODE_ENVIRONMENT "INVIG_MODULE=$<TARGET_FILE:mosquitto_invigilator>")
if(INVIG_SANITIZE MATCHES "address")
    # Mosquitto itself is not built with it, so the library must be there before the module. Leaks
    # are not looked for: Mosquitto's own would show.
    execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=libasan.so
                    OUTPUT_VARIABLE asan OUTPUT_STRIP_TRAILING_WHITESPACE)
    list(APPEND INVIG_NODE_ENVIRONMENT "INVIG_WRAPPER=env LD_PRELOAD=${asan} \
ASAN_OPTIONS=detect_leaks=0:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1")
endif()

# invig_find_missing(OUT KIND MISSING): sets OUT to whether the tests of KIND cannot be run. MISSING
# says what they lack besides what all need; "" for nothing.
function(invig_find_missing out kind missing)
    if(INVIG_NODE_MISSING)
        set(missing "${INVIG_NODE_MISSING}")
    endif()
    if(missing AND INVIG_REQUIRE_TESTS AND NOT (INVIG_SANITIZE AND NOT CMAKE_C_COMPILER_ID STREQUAL "GNU"))
        message(FATAL_ERROR "${missing}: the ${kind} tests need it")
    elseif(missing)
        message(STATUS "${missing}: the ${kind} tests are not run")
    endif()
    if(missing)
        set(${out} TRUE PARENT_SCOPE)
    else()
        set(${out} FALSE PARENT_SCOPE)
    endif()
endfunction()

# invig_add_node_tests(KIND [NAME=VALUE...]): adds each *.test.mjs of this folder as KIND_NAME, with
# these in its environment.
function(invig_add_node_tests kind)
    file(GLOB tests CONFIGURE_DEPENDS *.test.mjs)
    foreach(file ${tests})
        get_filename_component(name ${file} NAME)
        string(REPLACE ".test.mjs" "" name ${name})
        add_test(NAME ${kind}_${name} COMMAND ${NODE_EXECUTABLE} --test ${file})
        set_tests_properties(${kind}_${name} PROPERTIES
            LABELS ${kind} TIMEOUT 300 ENVIRONMENT "${INVIG_NODE_ENVIRONMENT};${ARGN}")
    endforeach()
endfunction()
