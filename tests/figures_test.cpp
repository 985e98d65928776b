#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "analysis/figures.h"
#include "data/image_decoder.h"
#include "tests/files.h"

using deepfreq::text_of;

namespace {

namespace fs = std::filesystem;

/// A run folder with the CSV files of two layers, probed at ten epochs; gone at the end of the test.
class RunFolder {
  public:
    /// One network for each letter.
    explicit RunFolder(const std::string& networks) : path_(folder_.path) {
        std::ofstream metrics(path_ / "metrics.csv");
        std::ofstream lfr(path_ / "lfr.csv");
        std::ofstream rdf(path_ / "rdf.csv");
        std::ofstream peaks(path_ / "peaks.csv");
        std::ofstream(path_ / "gradients.csv") << "network,epoch,layer,gradient_norm\n";
        metrics << "network,epoch,train_loss,train_accuracy,validation_accuracy,seconds\n";
        lfr << "network,layer,epoch,inv_delta,lfr\n";
        rdf << "network,layer,epoch,inv_delta,rdf\n";
        peaks << "network,layer,epoch,inv_delta,rdf,rise10,rise50,rise90\n";
        for (const char network : networks) {
            for (int epoch = 0; epoch < 10; ++epoch) {
                metrics << fmt::format("{},{},{},0.5,nan,1\n", network, epoch, 1.0 / (1 + epoch));
                for (int layer = 1; layer <= 2; ++layer) {
                    peaks << fmt::format("{},{},{},{},1,0.1,0.2,0.3\n", network, layer, epoch, 0.1 * layer);
                    for (int k = 1; k <= 5; ++k) {
                        lfr << fmt::format("{},{},{},{},{}\n", network, layer, epoch, 0.1 * k, 0.2 * k);
                        rdf << fmt::format("{},{},{},{},{}\n", network, layer, epoch, 0.1 * k, k * (5 - k));
                    }
                }
            }
        }
    }
    /// Runs a script on the folder; returns its exit status and leaves its stderr in message().
    int draw(const std::string& options = "", const std::string& script = "figures.py") const {
        const int status =
            std::system(fmt::format("/usr/bin/python3 '{}/../analysis/{}' '{}' {} 2>'{}'", DEEPFREQ_TEST_DIR,
                                    script, path_.string(), options, (path_ / "stderr").string())
                            .c_str());
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    std::string message() const { return text_of(path_ / "stderr"); }

    /// Name and content of every file in figures/.
    std::map<std::string, std::string> figures() const {
        std::map<std::string, std::string> files;
        if (!fs::exists(path_ / "figures")) return files;
        for (const auto& file : fs::directory_iterator(path_ / "figures"))
            files[file.path().filename().string()] = text_of(file.path());
        return files;
    }
    const fs::path& path() const { return path_; }

    /// Leaves the files of a run that probed nothing: its metrics, and gradient norms if it has some.
    void forget_probes() const {
        for (const char* name : {"lfr.csv", "rdf.csv", "peaks.csv"}) {
            std::string header;
            std::getline(std::ifstream(path_ / name), header);
            std::ofstream(path_ / name) << header << '\n';
        }
    }

  private:
    deepfreq::TemporaryFolder folder_;
    fs::path path_;
};

void check_refused(const RunFolder& run, const std::string& file, const std::string& found) {
    CHECK(run.draw() == 2);
    const std::string message = run.message();
    INFO(message);
    CHECK(message.find(file) != std::string::npos);
    CHECK(message.find(found) != std::string::npos);
    CHECK(message.find('\n') == message.size() - 1);
    CHECK(run.figures().empty());
}

/// Of a picture: the share of its pixels that have this colour.
double share_of(const std::array<int, 3>& colour, const fs::path& picture) {
    const deepfreq::Bytes file = deepfreq::read_file(picture);
    const deepfreq::ImageHeader header = deepfreq::read_image_header(file);
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(header.height) * header.width * 3);
    deepfreq::decode_image(file, pixels.data());
    std::size_t found = 0;
    for (std::size_t i = 0; i < pixels.size(); i += 3)
        if (pixels[i] == colour[0] && pixels[i + 1] == colour[1] && pixels[i + 2] == colour[2]) ++found;
    return 3.0 * static_cast<double>(found) / static_cast<double>(pixels.size());
}

}  // namespace

TEST_CASE("figures: several seeds are drawn as their mean, with what all of them have") {
    const RunFolder one("a"), several("");
    for (const char* seed : {"seed-0", "seed-3"}) {
        fs::create_directories(several.path() / seed);
        for (const char* name : {"metrics.csv", "lfr.csv", "rdf.csv", "peaks.csv", "gradients.csv"})
            fs::copy(one.path() / name, several.path() / seed / name);
    }
    REQUIRE(one.draw() == 0);
    REQUIRE_MESSAGE(several.draw() == 0, several.message());
    CHECK(several.figures().size() == one.figures().size());
    // Seeds that agree leave no band, and the mean is each of them: but for the band, the same picture.
    const auto drawn = [](const RunFolder& run, const char* part) {
        const std::string svg = run.figures().at("peaks.svg");
        int count = 0;
        for (auto at = svg.find(part); at != std::string::npos; at = svg.find(part, at + 1)) ++count;
        return count;
    };
    CHECK(drawn(several, "PolyCollection") == drawn(one, "PolyCollection") + 2);
    CHECK(drawn(several, "line2d") == drawn(one, "line2d"));
    // A seed whose last epoch is another, and one that has not begun: what was last is one panel.
    std::ofstream(several.path() / "seed-3" / "peaks.csv", std::ios::app) << "a,1,12,0.1,1,0.1,0.2,0.3\n"
                                                                          << "a,2,12,0.2,1,0.1,0.2,0.3\n";
    fs::create_directories(several.path() / "seed-9");
    REQUIRE_MESSAGE(several.draw() == 0, several.message());
    CHECK(several.figures().size() == one.figures().size());
}

TEST_CASE("analysis/figures.py: every figure is drawn, and drawn again the same to the byte") {
    const RunFolder run("m");
    REQUIRE_MESSAGE(run.draw() == 0, run.message());
    const auto first = run.figures();
    CHECK(first.size() == 8);
    for (const std::string figure : {"rdf", "lfr", "peaks", "metrics"}) {
        CAPTURE(figure);
        REQUIRE(first.contains(figure + ".png"));
        REQUIRE(first.contains(figure + ".svg"));
        CHECK(first.at(figure + ".png").starts_with("\x89PNG"));
        CHECK(first.at(figure + ".svg").ends_with("</svg>\n"));
    }
    fs::remove_all(run.path() / "figures");
    REQUIRE(run.draw() == 0);
    CHECK(run.figures() == first);
}

TEST_CASE("analysis/figures.py: gradient norms are drawn where there are some, of 0 too") {
    const RunFolder run("ab");
    std::ofstream gradients(run.path() / "gradients.csv", std::ios::app);
    for (const char network : {'a', 'b'})
        for (int layer = 1; layer <= 5; ++layer)
            gradients << fmt::format("{},1,{},{}\n", network, layer,
                                     layer == 1 ? 0.0 : std::pow(10.0, layer));
    gradients.close();
    REQUIRE_MESSAGE(run.draw("--format png") == 0, run.message());
    CHECK(run.figures().contains("gradients.png"));
    std::ofstream(run.path() / "gradients.csv") << "network,epoch,layer,gradient_norm\na,1,x,0.5\n";
    fs::remove_all(run.path() / "figures");
    check_refused(run, "gradients.csv", "layer is 'x'");
}

TEST_CASE("analysis/figures.py: one epoch, one layer and equal norms fill their cells of the heat map") {
    const std::array<int, 3> lowest = {68, 1, 84};  // of viridis
    const RunFolder run("a");
    std::string rows;
    double least = 0.0, most = 0.0;
    SUBCASE("one epoch of one layer") {
        rows = "a,1,1,0.1\n";
        least = 0.5, most = 1.0;
    }
    SUBCASE("one epoch, one of two norms is 0") {
        rows = "a,1,1,0.1\na,1,2,0\n";
        least = 0.25, most = 0.5;
    }
    SUBCASE("one layer, half of whose norms are missing") {
        rows = "a,1,1,0.1\na,2,1,\na,3,1,inf\na,4,1,0.1\n";
        least = 0.25, most = 0.5;
    }
    SUBCASE("nothing to draw") {
        rows = "a,1,1,0\na,,1,0.1\na,1,inf,0.1\n";
        least = 0.0, most = 0.1;
    }
    std::ofstream(run.path() / "gradients.csv", std::ios::app) << rows;
    run.forget_probes();
    REQUIRE_MESSAGE(run.draw() == 0, run.message());
    CHECK(run.message().empty());
    const double share = share_of(lowest, run.path() / "figures" / "gradients.png");
    CHECK(share >= least);
    CHECK(share <= most);
    // There is no half an epoch, and no half a layer.
    CHECK_FALSE(std::regex_search(run.figures().at("gradients.svg"), std::regex("<!-- [0-9]+[.][0-9]+ -->")));
}

TEST_CASE("analysis/figures.py: several networks are compared, layer by layer") {
    const RunFolder run("ab");
    REQUIRE_MESSAGE(run.draw("--format svg") == 0, run.message());
    const auto figures = run.figures();
    CHECK(figures.size() == 7);
    CHECK(figures.contains("metrics.svg"));
    for (const std::string figure : {"rdf", "lfr", "peaks"}) {
        CHECK(figures.contains(figure + "-layer1.svg"));
        CHECK(figures.contains(figure + "-layer2.svg"));
    }
}

TEST_CASE("analysis/figures.py: a run that probed nothing has its metrics drawn") {
    const RunFolder run("m");
    run.forget_probes();
    REQUIRE_MESSAGE(run.draw("--format svg") == 0, run.message());
    CHECK(run.figures().size() == 1);
    CHECK(run.figures().contains("metrics.svg"));
}

TEST_CASE("analysis/figures.py: the values of a function have no accuracies to draw") {
    const RunFolder run("m");
    std::ofstream(run.path() / "metrics.csv")
        << "network,epoch,train_loss,train_accuracy,validation_accuracy,seconds\nm,0,1,nan,nan,1\n";
    REQUIRE_MESSAGE(run.draw("--format svg") == 0, run.message());
    CHECK(run.figures().at("metrics.svg").find("<!-- training loss -->") != std::string::npos);
    CHECK(run.figures().at("metrics.svg").find("accuracy") == std::string::npos);
}

TEST_CASE("analysis/figures.py, fig1.py: bars say how many runs got there, and are drawn again the same") {
    const RunFolder run("m");
    const std::string header = "panel,setting,runs,converged,mean_epochs,deviation,given_up\n";
    std::ofstream(run.path() / "summary.csv") << header << "a,1,3,0,nan,nan,900\n"
                                              << "a,2,3,2,345,10,900\n"
                                              << "a,3,3,3,123,10,0\n";
    REQUIRE_MESSAGE(run.draw("", "fig1.py") == 0, run.message());
    CHECK(run.message().empty());
    const auto first = run.figures();
    CHECK(first.size() == 2);
    CHECK(first.at("fig1a.png").starts_with("\x89PNG"));
    const std::string& svg = first.at("fig1a.svg");
    for (const char* text : {"0 of 3", "&gt; 900", "2 of 3", "345", "123"})
        CHECK_MESSAGE(svg.find(fmt::format("<!-- {} -->", text)) != std::string::npos, text);
    CHECK(svg.find("<!-- 3 of 3 -->") == std::string::npos);
    CHECK(svg.find("<pattern") != std::string::npos);  // the hatches
    REQUIRE(run.draw("", "fig1.py") == 0);
    CHECK(run.figures() == first);

    std::ofstream(run.path() / "summary.csv") << header;
    CHECK(run.draw("", "fig1.py") == 2);
    CHECK(run.message().starts_with("fig1.py: "));
    CHECK(run.message().find("no row") != std::string::npos);
}

TEST_CASE("analysis/figures: the same whatever the user's Python and matplotlib are set to") {
    const RunFolder run("a");
    run.forget_probes();  // one figure tells as much as four, in a quarter of the time
    const fs::path script = fs::path(DEEPFREQ_TEST_DIR) / ".." / "analysis" / "figures.py";
    REQUIRE(deepfreq::draw_figures(script, run.path()).empty());
    const auto expected = run.figures();
    CHECK(expected.size() == 2);
    const deepfreq::TemporaryFolder user;
    const auto put = [&](const char* name, const std::string& text) {
        deepfreq::write_file(user.path / name, deepfreq::Bytes(text.begin(), text.end()));
    };
    put("tex/matplotlibrc", "text.usetex: True\n");
    put("style/matplotlibrc", "savefig.bbox: tight\nfont.family: serif\n");
    put("latin1/matplotlibrc", "font.family: caf\xE9\n");
    put("modules/numpy/__init__.py", "raise ImportError('Importing the numpy C-extensions failed')\n");
    const auto check_same = [&](const char* variable, const std::string& value) {
        CAPTURE(variable);
        CAPTURE(value);
        const deepfreq::ScopedVariable set(variable, value);
        fs::remove_all(run.path() / "figures");
        CHECK(deepfreq::draw_figures(script, run.path()).empty());
        CHECK(run.figures() == expected);
    };
    check_same("MPLCONFIGDIR", (user.path / "tex").string());
    check_same("MATPLOTLIBRC", (user.path / "style" / "matplotlibrc").string());
    check_same("MPLCONFIGDIR", (user.path / "latin1").string());
    check_same("MPLBACKEND", "Qt4Agg");
    check_same("MPLBACKEND", "no backend");
    check_same("PYTHONPATH", (user.path / "modules").string());
    check_same("PYTHONHOME", "/opt/nothing");
    check_same("LC_ALL", "C");
    check_same("LANG", "de_DE.ISO-8859-1");
    // In the current folder, too, whose matplotlibrc goes before all others.
    const fs::path before = fs::current_path();
    fs::current_path(user.path / "style");
    fs::remove_all(run.path() / "figures");
    CHECK(deepfreq::draw_figures(fs::absolute(script), run.path()).empty());
    CHECK(run.figures() == expected);
    fs::current_path(before);
}

TEST_CASE("analysis/figures: when the script fails, its own last line is the message") {
    const deepfreq::TemporaryFolder folder;
    const auto failure = [&](const std::string& script) {
        deepfreq::write_file(folder.path / "script.py", deepfreq::Bytes(script.begin(), script.end()));
        return deepfreq::draw_figures(folder.path / "script.py", folder.path);
    };
    CHECK(failure("").empty());
    CHECK(failure("1 / 0\n").starts_with("no figures: ZeroDivisionError: division by zero (/"));
    CHECK(failure("import sys\nprint('a' * 9000 + '\\nthe reason\\n\\n', file=sys.stderr)\nsys.exit(2)\n")
              .starts_with("no figures: the reason ("));
    CHECK(failure("import os\nos.kill(os.getpid(), 9)\n").starts_with("no figures: ended by signal 9 ("));
    CHECK(failure("raise SystemExit(3)\n").starts_with("no figures: no reason is told ("));
    const deepfreq::ScopedVariable python("DEEPFREQ_PYTHON", "/no/such/python");
    CHECK(failure("") == "no figures: /no/such/python does not start: No such file or directory");
}

TEST_CASE("analysis/spectrum_figures.py: names that matplotlib takes for something else") {
    for (const char* name :
         {"_layer3", "$x", "a$b$c", "caf\xE9", "two\nlines", "_", "\xE6\xBC\xA2", "x^{_"}) {
        CAPTURE(name);
        const RunFolder run("");
        std::ofstream lfr(run.path() / "lfr.csv", std::ios::app), rdf(run.path() / "rdf.csv", std::ios::app);
        for (int k = 1; k <= 5; ++k) {
            lfr << fmt::format("features,\"{}\",,{},{}\n", name, 0.1 * k, 0.2 * k);
            rdf << fmt::format("features,\"{}\",,{},{}\n", name, 0.1 * k, k * (5 - k));
        }
        lfr.close(), rdf.close();
        CHECK(run.draw("", "spectrum_figures.py") == 0);
        CHECK(run.message().empty());
        CHECK(run.figures().size() == 2);
    }
}

TEST_CASE("analysis/figures.py: wrong input is refused in one sentence") {
    const RunFolder run("m");
    SUBCASE("a missing file") {
        fs::remove(run.path() / "lfr.csv");
        check_refused(run, "lfr.csv", "No such file");
    }
    SUBCASE("a wrong header") {
        std::ofstream(run.path() / "rdf.csv") << "layer,epoch\n1,2\n";
        check_refused(run, "rdf.csv", "'layer,epoch'");
    }
    SUBCASE("no rows") {
        std::ofstream(run.path() / "metrics.csv")
            << "network,epoch,train_loss,train_accuracy,validation_accuracy,seconds\n";
        check_refused(run, "metrics.csv", "no row");
    }
    SUBCASE("a row cut short") {
        std::ofstream(run.path() / "rdf.csv", std::ios::app) << "m,1,2\n";
        check_refused(run, "rdf.csv", "line 102 has 3 cells");
    }
    SUBCASE("a cell that is no number") {
        std::ofstream(run.path() / "rdf.csv", std::ios::app) << "m,1,2,many,0\n";
        check_refused(run, "rdf.csv", "'many'");
    }
}

TEST_CASE("analysis/spectrum_figures.py: both panels in one figure, and files without rows are refused") {
    const RunFolder run("m");
    REQUIRE_MESSAGE(run.draw("--format svg", "spectrum_figures.py") == 0, run.message());
    const auto figures = run.figures();
    CHECK(figures.size() == 1);
    REQUIRE(figures.contains("spectrum.svg"));
    CHECK(figures.at("spectrum.svg").ends_with("</svg>\n"));
    std::ofstream(run.path() / "rdf.csv") << "network,layer,epoch,inv_delta,rdf\n";
    CHECK(run.draw("", "spectrum_figures.py") == 2);
    CHECK(run.message() == "spectrum_figures.py: " + run.path().string() +
                               ": there is no row below the header of lfr.csv or rdf.csv\n");
}
