# cmake --install: the headers as <deepfreq/ROOM/NAME.h>, the libraries, and what find_package(deepfreq) reads.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# deepfreq::deepfreq is everything except the programs.
add_library(deepfreq_all INTERFACE)
target_link_libraries(deepfreq_all INTERFACE deepfreq_runs deepfreq_models)
set_target_properties(deepfreq_all PROPERTIES EXPORT_NAME deepfreq)
add_library(deepfreq::deepfreq ALIAS deepfreq_all)

set(libraries common spectrum_kernels spectrum kernels data engine models analysis runs)
list(TRANSFORM libraries PREPEND deepfreq_ OUTPUT_VARIABLE targets)
foreach(library ${libraries})
  set_target_properties(deepfreq_${library} PROPERTIES EXPORT_NAME ${library})
endforeach()
install(TARGETS ${targets} deepfreq_all EXPORT deepfreq-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT deepfreq)
set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/deepfreq)
install(EXPORT deepfreq-targets NAMESPACE deepfreq:: DESTINATION ${config_folder} COMPONENT deepfreq)
configure_package_config_file(cmake/deepfreqConfig.cmake.in ${PROJECT_BINARY_DIR}/deepfreqConfig.cmake
                              INSTALL_DESTINATION ${config_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/deepfreqConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/deepfreqConfig.cmake ${PROJECT_BINARY_DIR}/deepfreqConfigVersion.cmake
        DESTINATION ${config_folder} COMPONENT deepfreq)

# The Python code that draws the figures after a run.
install(DIRECTORY analysis/ DESTINATION ${CMAKE_INSTALL_DATADIR}/deepfreq/analysis COMPONENT deepfreq
        FILES_MATCHING PATTERN "*.py" PATTERN "__pycache__" EXCLUDE)
install(DIRECTORY python/deepfreq/ DESTINATION ${CMAKE_INSTALL_DATADIR}/deepfreq/python/deepfreq COMPONENT deepfreq
        FILES_MATCHING PATTERN "*.py" PATTERN "*.json" PATTERN "__pycache__" EXCLUDE)

# In the source tree, headers include each other as "engine/layer.h"; once installed, as "deepfreq/engine/layer.h", so
# that they cannot clash with other headers.
install(CODE "set(deepfreq_source \"${PROJECT_SOURCE_DIR}\")
set(deepfreq_generated \"${PROJECT_BINARY_DIR}/generated\")
set(deepfreq_include \"${CMAKE_INSTALL_INCLUDEDIR}/deepfreq\")" COMPONENT deepfreq)
install(SCRIPT cmake/install_headers.cmake COMPONENT deepfreq)
