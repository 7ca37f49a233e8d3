#include "http/framing.hpp"

#include "unit/http/reading.hpp"

#include <gtest/gtest.h>
#include <initializer_list>

namespace gatehouse::http {
namespace {

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

class FramingTest : public testing::Test {
 protected:
  FramingVerdict of_request(Fields fields, unsigned minor_version = 1) {
    return judge_request_framing(headers(fields), minor_version);
  }
  FramingVerdict of_response(Fields fields, int status = 200, Method method = Method::kGet,
                             unsigned minor_version = 1) {
    return judge_response_framing(headers(fields), minor_version, status, method);
  }

 private:
  Headers headers(Fields fields) {
    Headers made(arena_);
    for (const auto& [name, value] : fields) made.add(name, value);
    return made;
  }
  Arena arena_;
};

TEST_F(FramingTest, ARequestWithoutLengthOrCodingHasNoBody) {
  EXPECT_EQ(of_request({}).framing.kind, Framing::Kind::kNone);
  EXPECT_EQ(of_request({}, 0).framing.kind, Framing::Kind::kNone);
}

TEST_F(FramingTest, AResponseWithoutLengthOrCodingLastsUntilTheEnd) {
  EXPECT_EQ(of_response({}).framing.kind, Framing::Kind::kUntilClose);
}

TEST_F(FramingTest, ALengthIsRead) {
  const auto verdict = of_request({{"Content-Length", "9999999999999999999"}});
  EXPECT_EQ(verdict.framing.kind, Framing::Kind::kLength);
  EXPECT_EQ(verdict.framing.length, 9999999999999999999u);
}

TEST_F(FramingTest, BothSidesRefuseWhatCanBeReadInTwoWays) {
  struct Case {
    Fields fields;
    HeadError error;
  };
  const std::initializer_list<Case> cases = {
      {{{"Content-Length", "1"}, {"content-length", "1"}}, HeadError::conflicting_content_length},
      {{{"Content-Length", "1"}, {"Content-Length", "2"}}, HeadError::conflicting_content_length},
      {{{"Content-Length", "1,1"}}, HeadError::invalid_content_length},
      {{{"Content-Length", ""}}, HeadError::invalid_content_length},
      {{{"Content-Length", "1"}, {"Transfer-Encoding", "chunked"}}, HeadError::length_and_coding},
      {{{"Transfer-Encoding", "chunked"}, {"Content-Length", "x"}}, HeadError::length_and_coding},
      {{{"Transfer-Encoding", "chunked"}, {"transfer-encoding", "chunked"}}, HeadError::chunked_not_final},
      {{{"Transfer-Encoding", "gzip, chunked"}}, HeadError::chunked_not_final},
      {{{"Transfer-Encoding", "gzip"}}, HeadError::unknown_transfer_coding},
      {{{"Transfer-Encoding", ""}}, HeadError::unknown_transfer_coding},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(text(of_request(one.fields).error), name(one.error));
    EXPECT_EQ(text(of_response(one.fields).error), name(one.error));
  }
}

TEST_F(FramingTest, ACodingInHttp10IsRefused) {
  EXPECT_EQ(of_request({{"Transfer-Encoding", "chunked"}}, 0).error, HeadError::coding_in_http_1_0);
  EXPECT_EQ(of_response({{"Transfer-Encoding", "chunked"}}, 200, Method::kGet, 0).error, HeadError::coding_in_http_1_0);
}

TEST_F(FramingTest, SomeAnswersHaveNoBodyWhateverTheirFieldsSay) {
  const Fields fields = {{"Content-Length", "5"}};
  EXPECT_EQ(of_response(fields, 200, Method::kHead).framing.kind, Framing::Kind::kNone);
  for (const int status : {100, 101, 103, 199, 204, 304})
    EXPECT_EQ(of_response(fields, status).framing.kind, Framing::Kind::kNone) << status;
  for (const int status : {200, 201, 205, 206, 299, 301, 303, 305, 404, 500})
    EXPECT_EQ(of_response(fields, status).framing.kind, Framing::Kind::kLength) << status;
}

TEST_F(FramingTest, ABodyThatIsSpokenOfAndNotThereIsTold) {
  EXPECT_TRUE(of_response({{"Content-Length", "5"}}, 200, Method::kHead).body_announced);
  EXPECT_TRUE(of_response({{"Transfer-Encoding", "chunked"}}, 200, Method::kHead).body_announced);
  EXPECT_TRUE(of_response({{"Content-Length", "5"}}, 304).body_announced);
  EXPECT_FALSE(of_response({{"Content-Length", "0"}}, 204).body_announced);
  EXPECT_FALSE(of_response({}, 200, Method::kHead).body_announced);
  EXPECT_FALSE(of_response({{"Content-Length", "5"}}, 200).body_announced);
}

TEST_F(FramingTest, AnAnswerWithoutBodyIsNoExcuseForTwoLengths) {
  EXPECT_TRUE(of_response({{"Content-Length", "5"}, {"Content-Length", "6"}}, 304).error);
}

}  // namespace
}  // namespace gatehouse::http
