// What the documentation says: every command is understood, every file linked is there, the code is that of
// the examples.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/files.h"

using namespace deepfreq;
namespace fs = std::filesystem;

namespace {

const fs::path root = fs::path(DEEPFREQ_TEST_DIR).parent_path();

std::vector<fs::path> pages() {
    std::vector<fs::path> all = {root / "README.md", root / "CONTRIBUTING.md"};
    for (const auto& entry : fs::directory_iterator(root / "docs"))
        if (entry.path().extension() == ".md") all.push_back(entry.path());
    return all;
}

struct Fence {
    std::string language, text;
};

/// The blocks between ``` of a page.
std::vector<Fence> fences(const fs::path& page) {
    std::vector<Fence> found;
    std::istringstream lines(text_of(page));
    bool inside = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("```")) {
            if (!inside) found.push_back({line.substr(3), ""});
            inside = !inside;
        } else if (inside) {
            found.back().text += line + '\n';
        }
    }
    CHECK_FALSE(inside);
    return found;
}

/// The lines of a block that begin with ./run, without comments; a line that ends in \ goes on with the next.
std::vector<std::string> commands(const Fence& fence) {
    std::vector<std::string> found;
    const std::string text = std::regex_replace(fence.text, std::regex("\\\\\n"), " ");
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("./run "))
            found.push_back(std::regex_replace(line, std::regex("^\\./run |\\s+#.*$"), ""));
    return found;
}

/// What the command writes to stderr and stdout.
std::string said(const std::string& command, int& status) {
    const TemporaryFolder folder;
    const std::string log = (folder.path / "log").string();
    status = std::system(
        fmt::format("cd '{}' && {{ {} ; }} >'{}' 2>&1", folder.path.string(), command, log).c_str());
    return text_of(log);
}

fs::path programs() {
    return fs::read_symlink("/proc/self/exe").parent_path();
}

/// An app that is asked for a device that no machine has refuses it once all options have been understood.
void check_app(const std::string& command) {
    int status = 0;
    const std::string text =
        said(fmt::format("{}/{} --device cuda:99", programs().string(), command), status);
    CAPTURE(text);
    const bool understood = contains(text, "error: the device is cuda:99, but ") ||
                            contains(text, "no run to go on with: config.toml is missing") ||
                            contains(text, "features.npy: ");
    CHECK(understood);
}

void check_command(const std::string& command) {
    CAPTURE(command);
    static const std::regex before(R"(^(--backend \w+ |--compile-arch \S+ )+)");
    const std::string rest = std::regex_replace(command, before, "");
    const std::string program = rest.substr(0, rest.find(' '));
    if (program == "paper" || program == "benchmarks") {
        int status = 0;
        const std::string script = program == "paper" ? "apps/paper/paper.py" : "benchmarks/compare.py";
        const std::string help = said(fmt::format("python3 '{}' --help", (root / script).string()), status);
        std::smatch option;
        for (std::string left = rest; std::regex_search(left, option, std::regex("--[a-z0-9-]+"));
             left = option.suffix()) {
            CAPTURE(option.str());
            CHECK((contains(help, option.str()) || option.str() == "--cuda"));
        }
    } else if (program != "tests" && program != "fuzz" && program != "build" && rest != "doctor --plans") {
        REQUIRE(fs::exists(programs() / program));
        check_app(rest);
    }
}

}  // namespace

TEST_CASE("docs: every command is one that its program understands") {
    int checked = 0;
    for (const fs::path& page : pages()) {
        CAPTURE(page.filename().string());
        for (const Fence& fence : fences(page))
            if (fence.language.empty())
                for (const std::string& command : commands(fence)) check_command(command), ++checked;
    }
    CHECK(checked > 30);
}

TEST_CASE("docs: every file that is linked or named is there") {
    static const std::regex link(R"(\]\(([^)#: ]*[./][^)#: ]*)\))");
    static const std::regex named(
        R"(`((?:kernels|engine|analysis|runs|apps|oracle|tests|cmake|examples|tools)/[\w/.]+\.\w+)`)");
    for (const fs::path& page : pages()) {
        CAPTURE(page.string());
        const std::string text = text_of(page);
        for (std::sregex_iterator at(text.begin(), text.end(), link), end; at != end; ++at) {
            CAPTURE((*at)[1].str());
            CHECK(fs::exists(page.parent_path() / (*at)[1].str()));
        }
        for (std::sregex_iterator at(text.begin(), text.end(), named), end; at != end; ++at) {
            const std::string file = (*at)[1].str();
            CAPTURE(file);
            const bool placeholder = contains(file, "FAMILY") || contains(file, "NAME");
            CHECK((placeholder || fs::exists(root / file)));
        }
    }
}

TEST_CASE("docs: the front page is short, and its C++ is the example that is compiled and run") {
    const std::string page = text_of(root / "README.md");
    CHECK(std::ranges::count(page, '\n') <= 120);
    const std::string example = text_of(root / "examples" / "train_and_measure.cpp");
    int lines = 0;
    for (const Fence& fence : fences(root / "README.md"))
        if (fence.language == "cpp") {
            std::istringstream text(fence.text);
            for (std::string line; std::getline(text, line); ++lines) {
                CAPTURE(line);
                CHECK(contains(example, line));
            }
        }
    CHECK(lines >= 20);
}
