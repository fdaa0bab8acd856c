# dlas::dlas and dlas::explore, both headers only. No flag of the compiler is exported: the user's program owns its flags.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/dlas/*.hpp)
set(explore_headers ${headers})
list(FILTER headers EXCLUDE REGEX "/include/dlas/explore(/.*)?\\.hpp$")
list(FILTER explore_headers INCLUDE REGEX "/include/dlas/explore(/.*)?\\.hpp$")

add_library(dlas INTERFACE)
add_library(dlas::dlas ALIAS dlas)
target_compile_features(dlas INTERFACE cxx_std_20)
target_sources(dlas INTERFACE FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${headers})
# Firmware gets no dependency, whether it uses the source tree or a package installed on the host.
target_link_libraries(dlas INTERFACE $<$<NOT:$<PLATFORM_ID:Generic>>:xsimd>)
set_target_properties(dlas PROPERTIES VERIFY_INTERFACE_HEADER_SETS ${PROJECT_IS_TOP_LEVEL})

if(DLAS_EXPLORE)
    add_library(dlas_explore INTERFACE)
    add_library(dlas::explore ALIAS dlas_explore)
    target_sources(dlas_explore INTERFACE FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${explore_headers})
    target_link_libraries(dlas_explore INTERFACE dlas Boost::headers benchmark::benchmark)
    set_target_properties(dlas_explore PROPERTIES EXPORT_NAME explore VERIFY_INTERFACE_HEADER_SETS ${PROJECT_IS_TOP_LEVEL})
endif()
