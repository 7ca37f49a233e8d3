#include "app/file_digest.hpp"

#include "config/source_text.hpp"

#include <array>
#include <openssl/evp.h>

namespace gatehouse {
namespace {

constexpr std::size_t kMost = std::size_t{4} << 20;

}  // namespace

std::string file_digest(const std::string& path) {
  const FileContent content = read_regular_file(path, kMost);
  if (content.problem) return {};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (EVP_Digest(content.text.data(), content.text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) return {};
  return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace gatehouse
