# find_package(dlas) gives dlas::dlas; find_package(dlas COMPONENTS explore tflite) gives dlas::explore and dlas::tflite too.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/dlas)

install(TARGETS dlas EXPORT dlas_targets FILE_SET HEADERS)
install(EXPORT dlas_targets NAMESPACE dlas:: FILE dlas-targets.cmake DESTINATION ${package_dir})
if(DLAS_EXPLORE)
    install(TARGETS dlas_explore EXPORT dlas_explore_targets FILE_SET HEADERS)
    install(EXPORT dlas_explore_targets NAMESPACE dlas:: FILE dlas-explore-targets.cmake DESTINATION ${package_dir})
endif()
if(DLAS_TFLITE)
    install(TARGETS dlas_tflite EXPORT dlas_tflite_targets FILE_SET HEADERS)
    install(EXPORT dlas_tflite_targets NAMESPACE dlas:: FILE dlas-tflite-targets.cmake DESTINATION ${package_dir})
endif()

configure_package_config_file(cmake/dlas-config.cmake.in dlas-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(dlas-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/dlas-config.cmake ${PROJECT_BINARY_DIR}/dlas-config-version.cmake cmake/xsimd_without_xtl.cmake
    DESTINATION ${package_dir})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/dlas)
