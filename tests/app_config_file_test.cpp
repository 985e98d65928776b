#include <CLI/CLI.hpp>

#include <nlohmann/json.hpp>

#include "apps/cli/config_file.h"
#include "apps/cli/probe_flags.h"
#include "apps/cli/run_flags.h"
#include "apps/cli/training_flags.h"
#include "common/error.h"
#include "common/text_bytes.h"
#include "runs/manifest.h"
#include "tests/files.h"

namespace deepfreq {
namespace {

/// The options of an app, given on the command line and then by a file.
struct Options {
    CLI::App app = CLI::App("description", "app");
    std::string hidden = "500x5";
    TrainingFlags training;
    ProbeFlags probes;
    RunFlags run;

    explicit Options(const std::string& command_line = "") {
        app.option_defaults()->always_capture_default()->multi_option_policy(
            CLI::MultiOptionPolicy::TakeLast);
        app.add_option("--hidden", hidden);
        training.add_to(app);
        probes.add_to(app);
        run.add_to(app);
        app.parse(command_line);
    }
};

/// What a file of this text gives.
std::unique_ptr<Options> options_of(const std::filesystem::path& file, const std::string& text,
                                    const std::string& command_line = "") {
    write_file(file, Bytes(text.begin(), text.end()));
    auto options = std::make_unique<Options>(command_line);
    take_options_of_file(options->app, file);
    return options;
}

}  // namespace

TEST_CASE("apps/config: what a person writes is read as it is meant") {
    const TemporaryFolder folder;
    const auto file = folder.path / "c.toml";
    const auto hidden = [&](const std::string& text) { return options_of(file, text)->hidden; };
    CHECK(hidden("hidden = [50, 30, 4]\n") == "50,30,4");
    CHECK(hidden("hidden = [\n  50,  # the first\n  30,\n]\n") == "50,30");
    CHECK(hidden("hidden = \"50,30,4\"") == "50,30,4");
    CHECK(hidden("hidden = '50x2'\n") == "50x2");
    CHECK(hidden("# nothing\n\n") == "500x5");
    CHECK(hidden("\xEF\xBB\xBFhidden = 4\r\nlr = 0.25\r\n") == "4");

    const auto read = options_of(file,
                                 "\xEF\xBB\xBF"
                                 "lr = 2.5e-1\r\nno-figures = true\r\nquick=false\r\n"
                                 "\"seed\" = 7\r\nno-gradient-norms = true\r\nprobe-epochs = [0, 10]");
    CHECK(read->training.learning_rate == 0.25);
    CHECK(read->run.no_figures);
    CHECK(!read->run.quick);
    CHECK(read->training.seed == 7);
    CHECK(!read->training.gradient_norms);
    CHECK(read->probes.epochs == "0,10");

    // The command line has the last word.
    CHECK(options_of(file, "seed = 7\nbatch = 3\n", "--seed 8")->training.seed == 8);
    CHECK(options_of(file, "seed = 7\nbatch = 3\n", "--seed 8")->training.batch == 3);
}

TEST_CASE("apps/config: what is not understood is refused with file, line and key") {
    const TemporaryFolder folder;
    const auto file = folder.path / "c.toml";
    const auto refused = [&](const std::string& text, const std::vector<std::string>& words) {
        CAPTURE(text);
        std::string said;
        try {
            options_of(file, text);
        } catch (const InputError& error) {
            said = error.what();
        }
        CAPTURE(said);
        CHECK(said.starts_with(file.string() + ": "));
        for (const std::string& word : words) CHECK(contains(said, word));
    };
    refused("hidden = 50,30,4\n", {"line 1", "hidden = 50,30,4", "expected"});
    refused("seed = 1\nlr = 0,25\n", {"line 2", "lr = 0,25", "expected"});
    refused("\n\nhiden = 4\n", {"line 3", "hiden", "no such option"});
    refused("learning_rate = 0.5", {"line 1", "learning_rate", "no such option"});
    refused("seed = 1\n[training]\nlr = 0.5\n", {"line 2", "training", "table"});
    refused("hidden = { width = 4 }", {"line 1", "hidden", "table"});
    refused("{\"hidden\": \"4\"}", {"line 1", "TOML"});
    refused("hidden: 4\n", {"line 1", "hidden: 4", "TOML"});
    refused("lr = 2024-01-01\n", {"line 1", "lr", "date"});
    refused("seed = -1\n", {"line 1", "seed", "'-1'", "at least 0"});
    refused("seed = true\n", {"line 1", "seed", "true"});
    refused("quick = \"perhaps\"\n", {"line 1", "perhaps"});
    refused("out = \"folder\"\n", {"line 1", "out", "command line"});
    refused("config = \"other\"\n", {"line 1", "config", "command line"});
    refused("seed = 1\nseed = 2\n", {"line 2", "seed"});
    refused("[, 4]\n", {"line 1", "[, 4]"});  // toml++ 3.3 would end the program
    refused("\xD0\x85 = 4\n", {"line 1"});    // and takes this letter for impossible
    refused("hidden = [[1], [2]]\n", {"line 1", "hidden", "array"});
    refused("hidden = [\"1,2\", 3]\n", {"line 1", "hidden", "'1,2'"});
    refused("data = { percent-encoded = \"%4\" }\n", {"line 1", "data", "'%4'"});
    refused("data = \"caf\xE9\"\n", {"line 1", "caf"});
    refused(std::string("\xFF\xFEh\0i\0", 6), {"line 1"});
    refused(std::string(2 << 20, '#'), {"bytes found"});
    std::filesystem::remove(file);
    Options none;
    CHECK_THROWS_AS(take_options_of_file(none.app, file), InputError);
    CHECK_THROWS_AS(take_options_of_file(none.app, folder.path), InputError);
}

TEST_CASE("apps/config: what a run writes is read back exactly, whatever bytes a path has") {
    const TemporaryFolder folder;
    const auto file = folder.path / "config.toml";
    std::string all_bytes;
    for (int byte = 1; byte < 256; ++byte) all_bytes += static_cast<char>(byte);
    for (const std::string& data :
         {std::string("MNIST (copy) #2"), std::string("a \"quoted\" 'name'"), std::string("two\nlines\r\n"),
          std::string("back\\slash"), std::string("caf\xE9"), std::string("caf\xC3\xA9"),
          std::string("\xD0\x85"), std::string("true"), std::string("007"), std::string("1e3"),
          std::string("100%"), std::string(" "), all_bytes}) {
        CAPTURE(data);
        Options given(
            "--hidden 50,30 --lr 1e-05 --no-figures --seed 18446744073709551615 --no-gradient-norms");
        given.app.get_option("--data")->add_result(data);
        given.app.get_option("--data")->run_callback();
        const std::string text = options_as_toml(given.app);
        const auto read = options_of(file, text);
        CHECK(read->run.data == data);
        CHECK(read->hidden == "50,30");
        CHECK(read->training.seed == 18446744073709551615U);
        CHECK(read->training.learning_rate == 1e-5);
        CHECK(read->run.no_figures);
        CHECK(!read->run.quick);
        CHECK(options_as_toml(read->app) == text);
    }
}

TEST_CASE("apps/manifest: texts that are not UTF-8 survive") {
    const nlohmann::json manifest = {{"command_line", {"lfr", "caf\xE9.npy", "caf\xC3\xA9"}}};
    const nlohmann::json read = nlohmann::json::parse(manifest_text(manifest));
    CHECK(read["command_line"][1]["percent-encoded"] == "caf%E9.npy");
    CHECK(percent_decoded("caf%E9.npy") == "caf\xE9.npy");
    CHECK(read["command_line"][2] == "caf\xC3\xA9");
}

TEST_CASE("common/text: what is UTF-8 and what is not") {
    for (const char* text : {"", "abc", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"})
        CHECK(is_utf8(text));
    for (const char* text : {"\xE9", "\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF", "a\x80",
                             "\xE0\x80\x80", "\xF0\x80\x80\x80"})
        CHECK(!is_utf8(text));
}

}  // namespace deepfreq
