# The CUDA backend: kernels/cuda/ in place of its stand-in no_cuda.cpp.
file(GLOB cuda_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/kernels/cuda/*.cpp ${CMAKE_SOURCE_DIR}/kernels/cuda/*.cu)
list(FILTER cuda_sources EXCLUDE REGEX "/(no_cuda|device|device_precision)[.]cpp$")
# What measures needs the runtime alone.
set(cuda_measuring_sources ${cuda_sources})
list(FILTER cuda_measuring_sources INCLUDE REGEX "/(check|memory|usable_device)[.]cpp$|/(measuring|spectrum)[.]cu$")
list(REMOVE_ITEM cuda_sources ${cuda_measuring_sources})
target_sources(deepfreq_measuring_kernels PRIVATE ${cuda_measuring_sources})
target_sources(deepfreq_kernels PRIVATE ${cuda_sources})
# The runtime is linked in: on a machine without CUDA the program starts and says so.
target_link_libraries(deepfreq_measuring_kernels PRIVATE CUDA::cudart_static)
target_link_libraries(deepfreq_kernels PRIVATE CUDA::cudart_static CUDA::cublasLt ${CUDNN_LIBRARY})
target_include_directories(deepfreq_measuring_kernels SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
target_include_directories(deepfreq_kernels SYSTEM PRIVATE ${CUDNN_INCLUDE_DIR} ${CUDAToolkit_INCLUDE_DIRS})

# A register spilled to memory is a warning like any other: an error in CI.
# FMT_USE_CONSTEXPR: fmt 9 does not know that nvcc has it.
set(cuda_options -DFMT_USE_CONSTEXPR=1 --expt-relaxed-constexpr -Xcompiler=-Wall,-Wextra -Xptxas=--warn-on-spills)
if(DEEPFREQ_WERROR)
  list(APPEND cuda_options -Werror all-warnings -Xptxas=--warning-as-error)
endif()
foreach(library deepfreq_measuring_kernels deepfreq_kernels)
  target_compile_options(${library} PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:${cuda_options}>")
endforeach()

# The devices that plans can be made for without them become part of the program.
file(GLOB device_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/kernels/cuda/devices/*.json)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${device_files})
set(described_devices "")
foreach(device_file ${device_files})
  get_filename_component(device ${device_file} NAME_WE)
  file(READ ${device_file} properties)
  string(APPEND described_devices "        {\"${device}\", R\"json(${properties})json\"},\n")
endforeach()
configure_file(${CMAKE_SOURCE_DIR}/kernels/cuda/described_devices.cpp.in described_devices.cpp @ONLY)
target_sources(deepfreq_kernels PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/described_devices.cpp)

string(REPLACE ";" " " architectures "${CMAKE_CUDA_ARCHITECTURES}")
set_source_files_properties(${CMAKE_SOURCE_DIR}/kernels/cuda/usable_device.cpp PROPERTIES
                            COMPILE_DEFINITIONS DEEPFREQ_CUDA_ARCHITECTURES="${architectures}")
