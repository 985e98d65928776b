#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

#include "common/crash_report.h"
#include "tests/backends.h"

namespace {

/// With $DEEPFREQ_TEST_ANNOUNCE set, each test case is named before it begins: one that never ends is the
/// last one named.
class Announcer final : public doctest::IReporter {
  public:
    explicit Announcer(const doctest::ContextOptions& /*options*/) {}

    void test_case_start(const doctest::TestCaseData& test) override {
        if (announces_) std::printf("running: %s\n", test.m_name);
    }

    void report_query(const doctest::QueryData& /*query*/) override {}
    void test_run_start() override {}
    void test_run_end(const doctest::TestRunStats& /*stats*/) override {}
    void test_case_reenter(const doctest::TestCaseData& /*test*/) override {}
    void test_case_end(const doctest::CurrentTestCaseStats& /*stats*/) override {}
    void test_case_exception(const doctest::TestCaseException& /*exception*/) override {}
    void subcase_start(const doctest::SubcaseSignature& /*subcase*/) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData& /*assertion*/) override {}
    void log_message(const doctest::MessageData& /*message*/) override {}
    void test_case_skipped(const doctest::TestCaseData& /*test*/) override {}

  private:
    bool announces_ = std::getenv("DEEPFREQ_TEST_ANNOUNCE") != nullptr;
};
REGISTER_LISTENER("announcer", 1, Announcer);

}  // namespace

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // whole lines at once, whatever ends this process
    deepfreq::report_crashes();
    const int status = doctest::Context(argc, argv).run();
    deepfreq::tests::close_backends();
    return status;
}
