#include "batch/job.h"

#include <gtest/gtest.h>

namespace questlog::batch {
namespace {

TEST(BuiltinJobs, areTheReferenceFlows) {
    const auto jobs = builtin_jobs("game-events");
    ASSERT_EQ(jobs.size(), 3U);
    std::string all;
    for (const Job& job : jobs) {
        EXPECT_EQ(job.topic, "game-events");
        for (const JobOutput& output : job.outputs) {
            EXPECT_EQ(output.table.topic, "game-events");
            EXPECT_TRUE(output.show);
            const auto types = output.table.event_types();
            ASSERT_TRUE(types);
            all += fmt::format("{} {} '{}' {}{} {}\n", job.name, output.table.name, output.table.path,
                               output.print_schema ? "schema " : "", fmt::join(*types, ","), output.table.set.size());
        }
    }
    EXPECT_EQ(all, "separate_events sword_purchases 'tmp/sword_purchases' purchase_sword 2\n"
                   "separate_events default_hits 'tmp/default_hits' default 2\n"
                   "just_filtering just_filtering '' schema purchase_sword 0\n"
                   "filtered_writes purchases 'tmp/purchases' schema purchase_sword 0\n");
}

} // namespace
} // namespace questlog::batch
