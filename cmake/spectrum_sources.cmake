# The sources of what measures, as full names: kernels, and the spectra made of them.
file(GLOB spectrum_kernels_sources CONFIGURE_DEPENDS
     ${CMAKE_SOURCE_DIR}/kernels/filter_*.cpp ${CMAKE_SOURCE_DIR}/kernels/cpu/spectrum*.cpp)
list(APPEND spectrum_kernels_sources ${CMAKE_SOURCE_DIR}/kernels/spectrum_backend.cpp ${CMAKE_SOURCE_DIR}/kernels/device_memory.cpp
            ${CMAKE_SOURCE_DIR}/kernels/cpu/reductions.cpp ${CMAKE_SOURCE_DIR}/kernels/cpu/memory.cpp
            ${CMAKE_SOURCE_DIR}/kernels/cuda/device.cpp)
set(spectrum_sources ${CMAKE_SOURCE_DIR}/analysis/filter_grid.cpp ${CMAKE_SOURCE_DIR}/analysis/loaded_samples.cpp
                     ${CMAKE_SOURCE_DIR}/analysis/low_frequency_ratio.cpp ${CMAKE_SOURCE_DIR}/analysis/sampled_ratio.cpp
                     ${CMAKE_SOURCE_DIR}/analysis/spectrum.cpp ${CMAKE_SOURCE_DIR}/analysis/spectrum_rows.cpp)
