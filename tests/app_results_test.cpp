#include <doctest/doctest.h>

#include "analysis/spectrum_rows.h"
#include "apps/cli/lists.h"
#include "common/error.h"
#include "runs/result_folder.h"
#include "tests/file_size_limit.h"
#include "tests/files.h"

using namespace deepfreq;

TEST_CASE("apps/lists: numbers between commas") {
    CHECK(numbers_between_commas("1,-2.5,1e3") == std::vector<double>{1.0, -2.5, 1000.0});
    for (const char* const bad : {"", "1,", ",1", "1 ,2", "a", "1;2", "nan", "inf", "1e999"}) {
        CAPTURE(std::string(bad));
        CHECK_THROWS_AS(numbers_between_commas(bad), InputError);
    }
    CHECK(distinct_numbers_between_commas("2,1,3") == std::vector<double>{2.0, 1.0, 3.0});
    CHECK_THROWS_WITH_AS(distinct_numbers_between_commas("2,1,2.0"),
                         "2 found twice in '2,1,2.0', each number once expected", InputError);
    CHECK_THROWS_WITH_AS(numbers_between_commas("1,two"),
                         "'two' found in '1,two', finite numbers between commas expected", InputError);
}

TEST_CASE("apps/spectrum_rows: cells are quoted where CSV needs it") {
    CHECK(csv_cell("sin(x)") == "sin(x)");
    CHECK(csv_cell("min(x,0)") == "\"min(x,0)\"");
    CHECK(csv_cell("a \"b\"") == "\"a \"\"b\"\"\"");
    CHECK(csv_cell("a\nb") == "\"a\nb\"");
    const Spectrum spectrum{{{0.5, 1.5}, {0.25, 0.75}}, {{1.0}, {0.5}}, {1.0, 0.5, 0.6, 1.0, 1.4}};
    const SpectrumRows rows = rows_of(spectrum, "mlp", "a,b", "3");
    CHECK(rows.lfr == std::vector<std::string>{"mlp,\"a,b\",3,0.5,0.25", "mlp,\"a,b\",3,1.5,0.75"});
    CHECK(rows.rdf == std::vector<std::string>{"mlp,\"a,b\",3,1,0.5"});
    CHECK(rows.peak == "mlp,\"a,b\",3,1,0.5,0.6,1,1.4");
}

TEST_CASE("apps/result_folder: stays when it is kept, else goes with what was written") {
    const TemporaryFolder folder;
    const auto path = folder.path / "results";
    {
        ResultFolder results(path);
        results.write("a.csv", "1\n");
        CHECK(text_of(path / "a.csv") == "1\n");
    }
    CHECK_FALSE(std::filesystem::exists(path));
    {
        ResultFolder results(path);
        results.write("a.csv", "1\n");
        results.keep();
    }
    CHECK(text_of(path / "a.csv") == "1\n");
}

TEST_CASE("apps/result_folder: of folders, only those go that were made for it") {
    const TemporaryFolder folder;
    const auto path = folder.path / "of" / "an" / "experiment";
    { const ResultFolder results(path); }
    CHECK_FALSE(std::filesystem::exists(folder.path / "of"));
    std::filesystem::create_directories(path.parent_path());
    { const ResultFolder results(path); }
    CHECK_FALSE(std::filesystem::exists(path));
    { const ResultFolder results(path.parent_path()); }
    CHECK(std::filesystem::exists(path.parent_path()));
}

TEST_CASE("apps/result_folder: a folder that holds anything, or cannot be made, is refused and left alone") {
    const TemporaryFolder folder;
    write_file(folder.path / "mine" / "notes", {1});
    const std::string mine = (folder.path / "mine").string();
    CHECK_THROWS_WITH_AS(ResultFolder{mine},
                         (mine + ": holds notes already, a new or an empty folder expected").c_str(),
                         InputError);
    const std::string a_file = (folder.path / "mine" / "notes").string();
    CHECK_THROWS_WITH_AS(ResultFolder{a_file},
                         (a_file + ": the folder cannot be made: Not a directory").c_str(), InputError);
    CHECK(read_file(a_file) == Bytes{1});
}

TEST_CASE("apps/result_folder: a full disk leaves nothing behind") {
    const TemporaryFolder folder;
    const auto path = folder.path / "results";
    {
        ResultFolder results(path);
        results.write("a.csv", "1\n");
        const FileSizeLimit full(16);
        CHECK_THROWS_AS(results.write("b.csv", std::string(100, 'x')), RunError);
    }
    CHECK_FALSE(std::filesystem::exists(path));
}
