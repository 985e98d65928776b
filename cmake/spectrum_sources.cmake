# The sources of the measuring code, as full paths: kernels, and the spectra built on them.
file(GLOB spectrum_kernels_sources CONFIGURE_DEPENDS
     ${PROJECT_SOURCE_DIR}/kernels/filter_*.cpp ${PROJECT_SOURCE_DIR}/kernels/cpu/spectrum*.cpp)
list(APPEND spectrum_kernels_sources ${PROJECT_SOURCE_DIR}/kernels/spectrum_backend.cpp ${PROJECT_SOURCE_DIR}/kernels/device_memory.cpp
            ${PROJECT_SOURCE_DIR}/kernels/cpu/reductions.cpp ${PROJECT_SOURCE_DIR}/kernels/cpu/memory.cpp
            ${PROJECT_SOURCE_DIR}/kernels/cuda/device.cpp)
set(spectrum_sources ${PROJECT_SOURCE_DIR}/analysis/filter_grid.cpp ${PROJECT_SOURCE_DIR}/analysis/loaded_samples.cpp
                     ${PROJECT_SOURCE_DIR}/analysis/low_frequency_ratio.cpp ${PROJECT_SOURCE_DIR}/analysis/sampled_ratio.cpp
                     ${PROJECT_SOURCE_DIR}/analysis/spectrum.cpp ${PROJECT_SOURCE_DIR}/analysis/spectrum_rows.cpp)
