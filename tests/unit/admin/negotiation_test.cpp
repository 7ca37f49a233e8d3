#include "admin/negotiation.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

namespace gatehouse::admin {
namespace {

struct Asked {
  explicit Asked(std::string_view name, std::string_view value) { headers.add(name, value); }
  Arena arena;
  Headers headers{arena};
};

TEST(WantedFormat, IsOpenMetricsWhereItIsAskedFor) {
  for (const std::string_view accept :
       {"application/openmetrics-text", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "text/plain;q=0.3, Application/OpenMetrics-Text; version=1.0.0; q=0.3",
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4"})
    EXPECT_EQ(wanted_format(Asked("accept", accept).headers), MetricsFormat::kOpenMetrics) << accept;
}

TEST(WantedFormat, IsTextForAllOthers) {
  for (const std::string_view accept : {"", "*/*", "text/html,application/xhtml+xml", "text/plain", "application/openmetrics-text;q=0",
                                        "application/openmetrics-text;q=0.2,text/plain;q=0.9", ",,;;q=", "application/openmetrics-textual"})
    EXPECT_EQ(wanted_format(Asked("accept", accept).headers), MetricsFormat::kText) << accept;
}

TEST(WantsGzip, WhereItIsNamedAndNotRefused) {
  for (const std::string_view encodings : {"gzip", "deflate, gzip;q=0.5", "GZIP", "gzip;q=1.0"})
    EXPECT_TRUE(wants_gzip(Asked("accept-encoding", encodings).headers)) << encodings;
  for (const std::string_view encodings : {"", "identity", "gzip;q=0", "gzip;q=0.000", "br", "*"})
    EXPECT_FALSE(wants_gzip(Asked("accept-encoding", encodings).headers)) << encodings;
}

TEST(Gzip, UnpacksToWhatWentIn) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "gatehouse_x{a=\"" + std::to_string(i * i) + "\"} 1\n";
  const std::string packed = gzip(text);
  ASSERT_FALSE(packed.empty());
  EXPECT_LT(packed.size(), text.size() / 3);
  std::string back(text.size() + 1, '\0');
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(back.data());
  stream.avail_out = static_cast<uInt>(back.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  back.resize(stream.total_out);
  inflateEnd(&stream);
  EXPECT_EQ(back, text);
}

}  // namespace
}  // namespace gatehouse::admin
