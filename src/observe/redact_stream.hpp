// Text that comes in pieces, cut anywhere, redacted as if it were whole: a secret that straddles two reads is found.
// Whole lines come out at once; of an unfinished one a bounded rest is kept until more of it is there. Owned by whoever
// reads the stream; one thread.
#pragma once

#include "observe/redact_scan.hpp"
#include "observe/redactor.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace gatehouse {

class RedactStream {
 public:
  explicit RedactStream(std::shared_ptr<const Redactor> redactor) : redactor_(std::move(redactor)) {}

  // Appends to `out` what may be told by now.
  void feed(std::string_view piece, std::string& out);
  // The stream is over: appends what was kept.
  void finish(std::string& out);

  // Bytes kept at most; a secret that is longer is hidden as it comes.
  static constexpr std::size_t kMostKept = std::size_t{64} << 10;

 private:
  void scan(RedactScan::End end, std::string& out);
  // Drops the rest of a secret that was too long to keep; what stands behind it.
  std::string_view skip_secret(std::string_view piece);
  void tell(std::string_view text, std::string& out);

  std::shared_ptr<const Redactor> redactor_;
  std::string text_;              // what has been told but may be looked back at, then what is kept
  std::size_t told_ = 0;          // the boundary between the two
  std::size_t worth_a_look_ = 0;  // size of text_ from which on judging it again may say something new
  RedactScan::Open open_ = RedactScan::Open::kNothing;
  char open_quote_ = 0;
  std::size_t open_backslashes_ = 0;
  std::size_t backslashes_ = 0;  // seen right before the next byte of an open secret
  std::string line_;             // unfinished line that the operator's patterns have not seen
};

}  // namespace gatehouse
