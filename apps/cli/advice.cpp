#include "apps/cli/advice.h"

namespace deepfreq {
namespace {

const char* advice(Remedy remedy) {
    switch (remedy) {
        case Remedy::None:
            return "";
        case Remedy::UseCpu:
            return "; --device cpu needs none";
        case Remedy::BuildWithCuda:
            return ": build with ./run --backend cuda, or use --device cpu";
        case Remedy::BuildForDevice:
            return ": build with ./run --compile-arch native, or use --device cpu";
        case Remedy::UseFloat32:
            return ", or --precision fp32";
        case Remedy::UseTensorFloat32:
            return "; --precision tf32 has more to choose from";
        case Remedy::WithoutGraph:
            return " (with --no-graph)";
        case Remedy::SmallerNetwork:
            return ": choose a network of fewer or narrower layers";
        case Remedy::LessMemory:
            return "; fewer --samples, a smaller --batch or network, "
                   "or for a probe fewer --probe-samples need less";
        case Remedy::FewerProbedSamples:
            return " (--probe-samples)";
        case Remedy::OtherProbedLayers:
            return " (--probe-layers)";
        case Remedy::SkipBadImages:
            return "; --skip-bad-images goes on without them";
        case Remedy::ResumeOrOtherFolder:
            return ": go on with it by --resume, or choose another --out";
        case Remedy::KeepCheckpoints:
            return "; --keep-checkpoints keeps those probed";
    }
    return "";
}

}  // namespace

std::string with_advice(const Error& error) {
    return error.what() + std::string(advice(error.remedy()));
}

}  // namespace deepfreq
