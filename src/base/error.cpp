#include <gatehouse/result.hpp>

namespace gatehouse {
namespace {

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "gatehouse"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::timeout: return "deadline passed";
      case errc::cancelled: return "cancelled";
      case errc::closed: return "closed by the peer";
      case errc::reset: return "connection broken";
      case errc::malformed: return "malformed message";
      case errc::too_large: return "larger than the configured limit";
      case errc::too_slow: return "slower than the minimum rate";
      case errc::unreachable: return "cannot connect";
      case errc::unresolved: return "name does not resolve";
      case errc::tls: return "TLS failure";
      case errc::exhausted: return "out of resources";
      case errc::invalid_argument: return "invalid setting";
    }
    return "unknown error";
  }
};

}  // namespace

const boost::system::error_category& gatehouse_category() noexcept {
  static const Category category;
  return category;
}

}  // namespace gatehouse
