# What `cmake --install` puts where: the library with its headers for find_package(hawser) and for
# pkg-config, and the command with its manual page.
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/hawser)

install(TARGETS hawser EXPORT hawser_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/hawser DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp")
install(EXPORT hawser_targets FILE hawserTargets.cmake NAMESPACE hawser::
  DESTINATION ${package_folder})

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/hawserConfig.cmake.in
  ${PROJECT_BINARY_DIR}/hawserConfig.cmake INSTALL_DESTINATION ${package_folder}
  NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break what was there.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/hawserConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/hawserConfig.cmake
  ${PROJECT_BINARY_DIR}/hawserConfigVersion.cmake DESTINATION ${package_folder})

# The archive names its libraries itself, so hawser.pc lists them as plain requirements: there is no
# shared library that would bring them. Paths are relative to the file, so that the tree can be moved.
file(RELATIVE_PATH HAWSER_PC_PREFIX
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
list(TRANSFORM HAWSER_ABSL PREPEND "absl_" OUTPUT_VARIABLE HAWSER_PC_REQUIRES)
list(JOIN HAWSER_PC_REQUIRES ", " HAWSER_PC_REQUIRES)
configure_file(${CMAKE_CURRENT_LIST_DIR}/hawser.pc.in ${PROJECT_BINARY_DIR}/hawser.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/hawser.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(TARGET hawser_cli)
  install(TARGETS hawser_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES ${PROJECT_SOURCE_DIR}/docs/man/hawser.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md
  ${PROJECT_SOURCE_DIR}/CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
