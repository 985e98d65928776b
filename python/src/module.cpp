#include "python/src/bindings.h"

// The same module under a name for each generation of processors that its kernels are compiled for.
NB_MODULE(DEEPFREQ_PYTHON_MODULE, module) {
    deepfreq::python::define(module);
}
