# CUDA as a language, and the libraries that come with it.
set(CMAKE_CUDA_ARCHITECTURES ${DEEPFREQ_CUDA_ARCHITECTURES})
set(CMAKE_CUDA_FLAGS_RELEASE "-O3")
enable_language(CUDA)
# What CMake 3.25 does not know about nvcc yet.
set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_EXTENSIONS OFF)
find_package(CUDAToolkit REQUIRED)

# A register spill is a warning like any other: an error in CI.
# FMT_USE_CONSTEXPR: fmt 9 does not know that nvcc has it.
set(cuda_options -DFMT_USE_CONSTEXPR=1 --expt-relaxed-constexpr -Xcompiler=-Wall,-Wextra -Xptxas=--warn-on-spills)
if(DEEPFREQ_WERROR)
  list(APPEND cuda_options -Werror all-warnings -Xptxas=--warning-as-error)
endif()
# What the code is compiled for, in numbers.
set(architectures ${CMAKE_CUDA_ARCHITECTURES})
if(architectures STREQUAL "native")
  set(architectures ${CMAKE_CUDA_ARCHITECTURES_NATIVE})
endif()
string(REPLACE ";" " " architectures "${architectures}")

# Adds the CUDA measuring code to a target. It needs only the runtime, which is linked statically: on a machine without
# CUDA the program starts and says so.
set(cuda_spectrum_sources check.cpp memory.cpp stream_device.cpp usable_device.cpp reductions.cu spectrum.cu)
list(TRANSFORM cuda_spectrum_sources PREPEND ${PROJECT_SOURCE_DIR}/kernels/cuda/)
function(deepfreq_measure_on_cuda target)
  target_sources(${target} PRIVATE ${cuda_spectrum_sources})
  target_link_libraries(${target} PRIVATE CUDA::cudart_static)
  target_include_directories(${target} SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:${cuda_options}>")
  target_compile_definitions(${target} PRIVATE DEEPFREQ_CUDA_ARCHITECTURES="${architectures}")
endfunction()
