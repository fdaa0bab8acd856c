# The consumer built both ways, each in its own folder of the build tree.
set(prefix ${CMAKE_CURRENT_BINARY_DIR}/consumer/prefix)
set(options -G ${CMAKE_GENERATOR} -D CMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} -D CMAKE_BUILD_TYPE=Release
    -D CMAKE_MAKE_PROGRAM=${CMAKE_MAKE_PROGRAM})
# Dependencies come from where this build has them: a package, or the sources of a release.
foreach(package IN ITEMS xsimd xtl Boost benchmark FlatBuffers)
    string(TOUPPER ${package} upper)
    string(TOLOWER ${package} lower)
    if(${lower}_SOURCE_DIR)
        list(APPEND options -D FETCHCONTENT_SOURCE_DIR_${upper}=${${lower}_SOURCE_DIR})
    elseif(${package}_DIR)
        list(APPEND options -D ${package}_DIR=${${package}_DIR})
    endif()
endforeach()

# add_consumer_test(<name> <option>...)
function(add_consumer_test name)
    add_test(NAME ${name} COMMAND ${CMAKE_CTEST_COMMAND} --build-and-test ${CMAKE_CURRENT_LIST_DIR} ${CMAKE_CURRENT_BINARY_DIR}/consumer/${name}
        --build-generator ${CMAKE_GENERATOR} --build-options ${options} ${ARGN} --test-command consumer)
endfunction()

add_test(NAME consumer_install COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${prefix})
set_tests_properties(consumer_install PROPERTIES FIXTURES_SETUP installed)
add_consumer_test(consumer_find_package -D CMAKE_PREFIX_PATH=${prefix})
set_tests_properties(consumer_find_package PROPERTIES FIXTURES_REQUIRED installed)
add_consumer_test(consumer_add_subdirectory -D DLAS_SOURCE_DIR=${PROJECT_SOURCE_DIR})
add_consumer_test(consumer_add_subdirectory_explore -D DLAS_SOURCE_DIR=${PROJECT_SOURCE_DIR} -D DLAS_EXPLORE=ON)
# A release of Hana that was downloaded for this build is not installed with it: the explore part then asks for Boost.
if(NOT boost_SOURCE_DIR)
    add_consumer_test(consumer_find_package_explore -D CMAKE_PREFIX_PATH=${prefix} -D DLAS_COMPONENTS=explore)
    set_tests_properties(consumer_find_package_explore PROPERTIES FIXTURES_REQUIRED installed)
endif()
if(DLAS_TFLITE)
    add_consumer_test(consumer_add_subdirectory_tflite -D DLAS_SOURCE_DIR=${PROJECT_SOURCE_DIR} -D DLAS_TFLITE=ON)
    # Nor is a release of flatbuffers.
    if(NOT flatbuffers_SOURCE_DIR)
        add_consumer_test(consumer_find_package_tflite -D CMAKE_PREFIX_PATH=${prefix} -D DLAS_COMPONENTS=tflite)
        set_tests_properties(consumer_find_package_tflite PROPERTIES FIXTURES_REQUIRED installed)
    endif()
endif()
