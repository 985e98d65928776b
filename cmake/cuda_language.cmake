# CUDA as a language, and the libraries that come with it.
set(CMAKE_CUDA_ARCHITECTURES ${DEEPFREQ_CUDA_ARCHITECTURES})
set(CMAKE_CUDA_FLAGS_RELEASE "-O3")
enable_language(CUDA)
# What CMake 3.25 does not know yet of nvcc.
set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_EXTENSIONS OFF)
find_package(CUDAToolkit REQUIRED)
find_library(CUDNN_LIBRARY cudnn HINTS ${CUDAToolkit_LIBRARY_DIR} REQUIRED)
find_path(CUDNN_INCLUDE_DIR cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS} REQUIRED)
