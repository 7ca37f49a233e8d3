#include "app/cpu_limit.hpp"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

TEST(CpuLimit, OfCgroupV2IsTheQuotaRoundedUp) {
  EXPECT_EQ(cpus_of_cpu_max("150000 100000\n"), 2U);
  EXPECT_EQ(cpus_of_cpu_max("100000 100000\n"), 1U);
  EXPECT_EQ(cpus_of_cpu_max("50000 100000\n"), 1U);
  EXPECT_EQ(cpus_of_cpu_max("800000 100000"), 8U);
}

TEST(CpuLimit, OfCgroupV2IsAbsentWithoutAQuota) {
  EXPECT_EQ(cpus_of_cpu_max("max 100000\n"), std::nullopt);
  EXPECT_EQ(cpus_of_cpu_max(""), std::nullopt);
  EXPECT_EQ(cpus_of_cpu_max("nonsense"), std::nullopt);
  EXPECT_EQ(cpus_of_cpu_max("1 0"), std::nullopt);
}

TEST(CpuLimit, OfCgroupV1IsTheQuotaRoundedUp) {
  EXPECT_EQ(cpus_of_cfs("250000\n", "100000\n"), 3U);
  EXPECT_EQ(cpus_of_cfs("-1\n", "100000\n"), std::nullopt);
}

TEST(CpuLimit, IsAtLeastOne) { EXPECT_GE(usable_cpus(), 1U); }

}  // namespace
}  // namespace gatehouse
