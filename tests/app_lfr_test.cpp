#include <doctest/doctest.h>
#include <fmt/core.h>

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numbers>
#include <sstream>
#include <thread>

#include "common/philox.h"
#include "oracle/spectrum_reference.h"
#include "tests/app_checks.h"
#include "tests/npy_files.h"
#include "tests/process.h"

using namespace deepfreq;

namespace {

using Arguments = std::vector<std::string>;

/// A curve of lfr.csv.
struct Points {
    std::vector<double> inv_delta, value;
};

/// The curves of a CSV file by name, which has no quotes here.
std::map<std::string, Points> curves_of(const std::filesystem::path& path) {
    std::map<std::string, Points> curves;
    std::istringstream lines(text_of(path));
    std::string line;
    CHECK(std::getline(lines, line).good());
    while (std::getline(lines, line)) {
        const std::size_t name = line.find(',') + 1, epoch = line.find(',', name);
        const std::size_t width = epoch + 2, value = line.find(',', width) + 1;
        CHECK(line[epoch + 1] == ',');  // no epoch: nothing was trained
        Points& points = curves[line.substr(name, epoch - name)];
        points.inv_delta.push_back(std::stod(line.substr(width)));
        points.value.push_back(std::stod(line.substr(value)));
    }
    return curves;
}

/// Runs the app in a folder of its own.
struct Run {
    explicit Run(Arguments arguments) {
        arguments.insert(arguments.end(), {"--device", "cpu", "--no-figures", "--out", out().string()});
        Process app("lfr", arguments, folder.path);
        const int status = app.wait();
        output = app.output();
        peak_bytes = app.peak_bytes();
        CAPTURE(app.errors());
        CHECK(status == 0);
    }
    std::filesystem::path out() const { return folder.path / "out"; }
    Points curve(const std::string& name) const {
        const auto curves = curves_of(out() / "lfr.csv");
        REQUIRE(curves.contains(name));
        return curves.at(name);
    }

    TemporaryFolder folder;
    std::string output;
    std::int64_t peak_bytes = 0;
};

/// Features and targets of one's own, as files.
struct Samples {
    Samples(std::int64_t samples, std::int64_t dimensions) : n(samples), d(dimensions) {
        const Philox random(7, RandomUse::Functions);
        for (std::int64_t i = 0; i < n * d; ++i)
            x.push_back(static_cast<float>(3.0 * random.normal(static_cast<std::uint64_t>(i))));
        for (std::int64_t i = 0; i < n; ++i) labels.push_back(x[i * d] < -1.0F ? 4 : x[i * d] < 2.0F ? 9 : 0);
        write_file(features(), npy(x, {n, d}));
    }
    std::filesystem::path features() const { return folder.path / "x.npy"; }
    std::filesystem::path targets() const { return folder.path / "y.npy"; }
    Arguments arguments(const Arguments& more = {}) const {
        Arguments all = {"--features", features().string(), "--targets", targets().string()};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    /// Each column divided by its largest magnitude.
    std::vector<float> scaled() const {
        std::vector<float> y = x;
        for (std::int64_t j = 0; j < d; ++j) {
            float largest = 0.0F;
            for (std::int64_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(x[i * d + j]));
            for (std::int64_t i = 0; i < n; ++i) y[i * d + j] /= largest;
        }
        return y;
    }
    /// In the order of the labels that occur: 0, 4, 9.
    std::vector<float> one_hot() const {
        std::vector<float> y(static_cast<std::size_t>(3 * n), 0.0F);
        for (std::int64_t i = 0; i < n; ++i) y[3 * i + (labels[i] == 0 ? 0 : labels[i] == 4 ? 1 : 2)] = 1.0F;
        return y;
    }

    TemporaryFolder folder;
    std::int64_t n, d;
    std::vector<float> x;
    std::vector<std::int64_t> labels;
};

void check_close(const Points& found, const std::vector<float>& x, const std::vector<float>& y,
                 std::int64_t n, bool exclude_self = false) {
    const auto expected = reference::low_frequency_ratio(x, y, n, found.inv_delta, exclude_self);
    REQUIRE(found.value.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(found.inv_delta[i]);
        CHECK(std::abs(found.value[i] - expected[i]) <= 1e-5);
    }
}

void check_against_reference(const Run& run, const std::vector<float>& x, const std::vector<float>& y,
                             std::int64_t n, bool exclude_self = false) {
    check_close(run.curve("x"), x, y, n, exclude_self);
}

/// LFR of a function on [low, high] by Simpson's rule with m intervals: eqs. 3 to 5 with integrals for sums.
double lfr_by_simpson(const std::function<double(double)>& f, double low, double high, double inv_delta) {
    constexpr int m = 2000;
    const double step = (high - low) / m;
    std::vector<double> values(m + 1), weights(m + 1), gaussian(m + 1);
    for (int i = 0; i <= m; ++i) {
        values[i] = f(low + i * step);
        weights[i] = i == 0 || i == m ? 1.0 : i % 2 == 1 ? 4.0 : 2.0;
        gaussian[i] = std::exp(-std::pow(i * step, 2) * inv_delta / 2.0);
    }
    double energy_low = 0.0, energy = 0.0;
    for (int i = 0; i <= m; ++i) {
        double filtered = 0.0, total = 0.0;
        for (int j = 0; j <= m; ++j) {
            const double weight = weights[j] * gaussian[std::abs(i - j)];
            filtered += weight * values[j];
            total += weight;
        }
        energy_low += weights[i] * std::pow(filtered / total, 2);
        energy += weights[i] * std::pow(values[i], 2);
    }
    return energy_low / energy;
}

/// Status 2, one sentence with these words, and no folder of results.
void check_refused(Arguments arguments, const std::string& words) {
    const TemporaryFolder folder;
    const auto out = folder.path / "out";
    arguments.insert(arguments.end(), {"--device", "cpu", "--out", out.string()});
    check_refusal("lfr", arguments, {words});
    CHECK_FALSE(std::filesystem::exists(out));
}

}  // namespace

TEST_CASE("app/lfr: sin(k pi x) has the LFR that integrals in double give") {
    const Run run({"--k", "1,2,4", "--inv-delta", "log:0.1:1000:9"});
    REQUIRE(curves_of(run.out() / "lfr.csv").size() == 3);
    // n evenly spaced points are the midpoint rule on a range wider by half a step at either end. The error
    // of that rule is h^2/24 times f' at the ends (Euler and Maclaurin), where f' of sine times Gaussian is
    // at most k pi + 0.61 sqrt(s), s = 1/delta, and the integral of the Gaussian at least 1.19 / max(1,
    // sqrt(s)). In LFR, with the outer integral's likewise, that is less than the bound below. The kernel's
    // own error is 1e-5.
    const double h = 2.0 / 2000;
    for (const double k : {1.0, 2.0, 4.0}) {
        const auto sine = [k](double x) { return std::sin(k * std::numbers::pi * x); };
        const Points found = run.curve(fmt::format("sin(k*pi*x) with k = {}", k));
        REQUIRE(found.inv_delta.size() == 9);
        for (std::size_t i = 0; i < 9; ++i) {
            const double s = found.inv_delta[i];
            CAPTURE(k);
            CAPTURE(s);
            const double expected = lfr_by_simpson(sine, -1.0 - h / 2, 1.0 + h / 2, s);
            const double root = std::sqrt(s);
            const double bound = h * h / 2.0 * std::max(1.0, root) * (k * std::numbers::pi + root);
            CHECK(std::abs(found.value[i] - expected) <= 1e-5 + bound);
        }
    }
}

TEST_CASE("app/lfr: LFR goes from the energy of the mean to 1") {
    const Run run({"--function", "x^2 + x + 0.2", "--samples", "101", "--domain", "-2,1", "--inv-delta",
                   "log:1e-9:1e9:2"});
    double sum = 0.0, energy = 0.0;
    for (int i = 0; i <= 100; ++i) {
        const double x = -2.0 + 0.03 * i, y = x * x + x + 0.2;
        sum += y;
        energy += y * y;
    }
    const Points found = run.curve("x^2 + x + 0.2");
    CHECK(std::abs(found.value[0] - sum * sum / 101.0 / energy) <= 1e-5);
    CHECK(found.value[1] == 1.0);
}

TEST_CASE(
    "app/lfr: with no options, Fig. 3: higher frequencies peak at larger 1/delta, on a logarithmic grid") {
    const Run run({});
    CHECK(curves_of(run.out() / "lfr.csv").size() == 5);
    CHECK(contains(run.output, "\nRDF's peak rises with k\n"));
    CHECK(contains(run.output, "written: " + run.out().string()));
    const Points found = run.curve("sin(k*pi*x) with k = 8");
    for (std::size_t i = 1; i < found.inv_delta.size(); ++i)
        CHECK(found.inv_delta[i] / found.inv_delta[i - 1] ==
              doctest::Approx(found.inv_delta[1] / found.inv_delta[0]).epsilon(1e-6));
    CHECK(found.value.front() <= 0.01);
    CHECK(found.value.back() >= 0.99);
    CHECK(text_of(run.out() / "lfr.csv").starts_with("network,layer,epoch,inv_delta,lfr\nfunction,"));
    CHECK(text_of(run.out() / "rdf.csv").starts_with("network,layer,epoch,inv_delta,rdf\nfunction,"));
    const std::string peaks = text_of(run.out() / "peaks.csv");
    CHECK(peaks.starts_with("network,layer,epoch,inv_delta,rdf,rise10,rise50,rise90\nfunction,"));
    CHECK(std::ranges::count(peaks, '\n') == 6);
    CHECK(contains(text_of(run.out() / "manifest.json"), "\"k\": \"1,2,4,6,8\""));
}

TEST_CASE("app/lfr: the same samples give the same files, and the figure is drawn") {
    const TemporaryFolder folder;
    const auto run = [&](const std::string& name) {
        Process app("lfr", {"--samples", "101", "--device", "cpu", "--out", (folder.path / name).string()},
                    folder.path);
        CHECK(app.wait() == 0);
        return folder.path / name;
    };
    const auto first = run("a"), second = run("b");
    for (const char* const file :
         {"lfr.csv", "rdf.csv", "peaks.csv", "figures/spectrum.png", "figures/spectrum.svg"}) {
        CAPTURE(std::string(file));
        CHECK(!text_of(first / file).empty());
        CHECK(text_of(first / file) == text_of(second / file));
    }
}

TEST_CASE("app/lfr: features of one's own with labels, scaled, on an evenly spaced grid") {
    const Samples samples(300, 5);
    write_file(samples.targets(), npy(samples.labels, {samples.n}));
    const Run run(samples.arguments());
    check_against_reference(run, samples.scaled(), samples.one_hot(), samples.n);
    CHECK(contains(run.output, "x.npy, float32 [300, 5], columns scaled: max-abs"));
    CHECK(contains(run.output, "y.npy, int64 [300], one-hot in 3 classes"));
    const Points found = run.curve("x");
    CHECK(found.inv_delta.size() >= 100);
    for (std::size_t i = 1; i < found.inv_delta.size(); ++i)
        CHECK(found.inv_delta[i] - found.inv_delta[i - 1] ==
              doctest::Approx(found.inv_delta[1] - found.inv_delta[0]).epsilon(1e-4));
}

TEST_CASE("app/lfr: features as they are, targets of several columns, i = j left out") {
    const Samples samples(200, 3);
    std::vector<double> y;
    for (std::int64_t i = 0; i < samples.n; ++i) y.insert(y.end(), {samples.x[3 * i], 1.0});
    write_file(samples.targets(), npy(y, {samples.n, 2}));
    const std::vector<float> targets(y.begin(), y.end());
    const Arguments grid = {"--scale", "none", "--inv-delta", "log:1e-3:100:25"};
    check_against_reference(Run(samples.arguments(grid)), samples.x, targets, samples.n);
    Arguments without_self = grid;
    without_self.emplace_back("--exclude-self");
    check_against_reference(Run(samples.arguments(without_self)), samples.x, targets, samples.n, true);
}

TEST_CASE("app/lfr: more features than are on their way at once") {
    const Samples samples(60, 80000);  // 4.8 million numbers in chunks of 4.2
    write_file(samples.targets(), npy(samples.labels, {samples.n}));
    check_against_reference(Run(samples.arguments({"--inv-delta", "0:1e-3:9"})), samples.scaled(),
                            samples.one_hot(), samples.n);
}

TEST_CASE("app/lfr: a grid of 10^5 widths over twelve decades, in a fixed workspace") {
    constexpr std::size_t widths = 100000;
    const Samples samples(60, 3);
    write_file(samples.targets(), npy(samples.labels, {samples.n}));
    const Run run(samples.arguments({"--inv-delta", fmt::format("log:1e-6:1e6:{}", widths)}));
    const Points found = run.curve("x");
    REQUIRE(found.value.size() == widths);
#if !defined(__SANITIZE_ADDRESS__)
    CHECK(run.peak_bytes < std::int64_t{1} << 30);  // the sums of a pass: 224 MiB; CUDA's libraries: as much
#endif
    Points some;
    for (std::size_t i = 0; i < widths; i += widths / 100 - 1) {
        some.inv_delta.push_back(found.inv_delta[i]);
        some.value.push_back(found.value[i]);
    }
    check_close(some, samples.scaled(), samples.one_hot(), samples.n);
}

TEST_CASE("app/lfr: a function without k is one curve, and a name with a comma is one cell") {
    const Run run({"--function", "max(x,0)", "--samples", "50", "--inv-delta", "1:2:2"});
    CHECK(contains(text_of(run.out() / "lfr.csv"), "\nfunction,\"max(x,0)\",,1,"));
}

TEST_CASE("app/lfr: features of one column get a logarithmic grid, as functions do") {
    const Samples samples(200, 1);
    write_file(samples.targets(), npy(samples.labels, {samples.n}));
    const Run run(samples.arguments());
    check_against_reference(run, samples.scaled(), samples.one_hot(), samples.n);
    const Points found = run.curve("x");
    for (std::size_t i = 1; i < found.inv_delta.size(); ++i)
        CHECK(found.inv_delta[i] / found.inv_delta[i - 1] ==
              doctest::Approx(found.inv_delta[1] / found.inv_delta[0]).epsilon(1e-6));
}

TEST_CASE("app/lfr: what the points cannot show is warned of, and so is a curve that does not rise") {
    const Arguments grid = {"--inv-delta", "log:0.1:1000:9", "--k"};
    const auto output = [&](const char* k, const Arguments& more) {
        Arguments arguments = grid;
        arguments.emplace_back(k);
        arguments.insert(arguments.end(), more.begin(), more.end());
        return Run(arguments).output;
    };
    CHECK(!contains(output("8", {"--samples", "101"}), "warning"));
    // From 20 periods of sine on, 101 points are no longer seven a period; at 50 and 100 they show nothing.
    for (const char* const k : {"20", "49", "50", "51", "99", "100"})
        CHECK(contains(output(k, {"--samples", "101"}), fmt::format("with k = {}: ", k)));
    CHECK(contains(Run({"--function", "2", "--samples", "9", "--inv-delta", "1:2:2"}).output,
                   "LFR does not rise on the grid from 1/delta = 1 to 2"));
}

TEST_CASE("app/lfr: interrupted, it ends with status 1 and leaves no folder that it made") {
    const TemporaryFolder folder;
    const auto out = folder.path / "new" / "results";
    Process app("lfr", {"--samples", "8000", "--device", "cpu", "--out", out.string()}, folder.path);
    while (!std::filesystem::exists(out)) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    app.signal(SIGTERM);
    CHECK(app.wait() == 1);
    CHECK(app.errors() == "error: interrupted: nothing is written\n");
    CHECK(!std::filesystem::exists(out.parent_path()));
}

TEST_CASE("app/lfr: functions that cannot be measured are refused") {
    check_refused({"--k", "1,two"}, "'two' found in '1,two'");
    check_refused({"--k", "1,2,1"}, "1 found twice in '1,2,1'");
    check_refused({"--function", "sin(k*pi*x"}, "the formula 'sin(k*pi*x' cannot be read");
    check_refused({"--function", "1/x", "--samples", "3"}, "inf found at x = 0");
    check_refused({"--function", "sin(x)", "--k", "2"}, "--k is 2, but there is no k in 'sin(x)'");
    check_refused({"--function", "0*x"}, "all targets [2001, 1] are 0");
    check_refused({"--function", "2"}, "LFR rises nowhere");
    check_refused({"--domain", "1"}, "'1' found, two numbers LO,HI expected");
    check_refused({"--domain", "1,1"}, "two finite numbers low < high expected");
    check_refused({"--samples", "1"}, "--samples");
    check_refused({"--samples", "1000001"}, "--samples");
    for (const char* const grid : {"1:2", "0:1:1", "1:1:2", "2:1:5", "0:1:100001", "log:0:1:9"})
        check_refused({"--inv-delta", grid}, "LO:HI:N");
    check_refused({"--scale", "none"}, "--scale requires --features");
    check_refused({"--scale", "best"},
                  "the scaling of features is 'best', expected max-abs, centred or none");
}

TEST_CASE("app/lfr: features and targets that do not fit are refused") {
    const Samples samples(4, 2);
    const auto refused = [&](const Bytes& x, const Bytes& y, const std::string& words) {
        write_file(samples.features(), x);
        write_file(samples.targets(), y);
        check_refused(samples.arguments(), words);
    };
    const Bytes x = npy<float>({1, 2, 3, 4, 5, 6}, {3, 2}), y = npy<std::int32_t>({0, 1, 1}, {3});
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const std::string x_name = samples.features().string(), y_name = samples.targets().string();
    refused(npy<std::int32_t>({1, 2, 3}, {3}), y, x_name + ": int32 [3] found, floats expected");
    refused(npy_bytes("{'descr': '>f4', 'fortran_order': False, 'shape': (3,), }", Bytes(12)), y,
            x_name + ": the type >f4 found");
    refused(npy_bytes("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }", Bytes(24)), y,
            x_name + ": an array in Fortran order found");
    refused(npy<float>({1, 2, 3}, {3, 1, 1}), y, x_name + ": shape [3, 1, 1] found");
    refused(x, npy<std::int32_t>({0, 1}, {2}), x_name + " has 3 rows and " + y_name + " 2");
    refused(x, npy<std::int32_t>({0, -1, 1}, {3}), y_name + ": label -1 found at row 1");
    refused(x, npy<std::int32_t>({0, 1, 1, 0, 0, 1}, {3, 2}), y_name + ": int32 [3, 2] found");
    refused(npy<float>({1, 2, 3, 4, 5, nan}, {3, 2}), y, x_name + ": nan found at row 2, column 1");
    refused(x, npy<float>({1, nan, 3}, {3}), y_name + ": nan found at row 1, column 0");
    refused(x, npy<float>({0, 0, 0}, {3}), "all targets [3, 1] are 0");
    refused(npy<float>({1, 1, 1}, {3}), y, "LFR rises nowhere");
    refused(Bytes(x.begin(), x.end() - 1), y, x_name + ": truncated: 151 bytes found, 152 expected");
    std::filesystem::remove(samples.features());
    check_refused(samples.arguments(), x_name + ": cannot be read: No such file or directory");
}

TEST_CASE("app/lfr: options that exclude or need each other") {
    check_refused({"--features", "x.npy"}, "--features requires --targets");
    check_refused({"--features", "", "--targets", "y.npy"}, "--features: nothing found");
    check_refused({"--out", ""}, "--out: nothing found");
    check_refused({"--targets", "y.npy"}, "--targets requires --features");
    for (const char* const option : {"--function", "--k", "--samples", "--domain"}) {
        CAPTURE(std::string(option));
        check_refused({"--features", "x.npy", "--targets", "y.npy", option, "1"}, option);
    }
}

TEST_CASE("app/lfr: a folder that holds something is refused and left as it is") {
    const TemporaryFolder folder;
    write_file(folder.path / "out" / "notes", {1});
    const std::string out = (folder.path / "out").string();
    Process app("lfr", {"--device", "cpu", "--out", out}, folder.path);
    CHECK(app.wait() == 2);
    CHECK(app.errors() == "error: " + out + ": holds notes already, a new or an empty folder expected\n");
    CHECK(read_file(folder.path / "out" / "notes") == Bytes{1});
}
