# Part of cmake --install: copies the public headers, putting "deepfreq/" before the room in their mutual includes.
set(rooms "common|kernels|data|engine|models|analysis|runs")
file(GLOB_RECURSE headers RELATIVE ${deepfreq_source}
     ${deepfreq_source}/common/*.h ${deepfreq_source}/kernels/*.h ${deepfreq_source}/data/*.h
     ${deepfreq_source}/engine/*.h ${deepfreq_source}/models/*.h ${deepfreq_source}/analysis/*.h
     ${deepfreq_source}/runs/*.h)
list(FILTER headers EXCLUDE REGEX "^kernels/(cpu|cuda)/")
list(APPEND headers kernels/cpu/open_cpu.h kernels/cuda/open_cuda.h)
function(install_header from to)
  file(READ ${from} text)
  string(REGEX REPLACE "#include \"(${rooms})/" "#include \"deepfreq/\\1/" text "${text}")
  file(WRITE "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/${deepfreq_include}/${to}" "${text}")
endfunction()
foreach(header ${headers})
  install_header(${deepfreq_source}/${header} ${header})
endforeach()
install_header(${deepfreq_generated}/analysis/csv_columns.h analysis/csv_columns.h)
