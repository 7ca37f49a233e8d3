#include "unit/config/support.hpp"

#include <cstdlib>
#include <filesystem>

namespace gatehouse {

TemporaryFolder::TemporaryFolder() : path_(testing::TempDir() + "gatehouse_XXXXXX") {
  EXPECT_NE(::mkdtemp(path_.data()), nullptr);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::write(const std::string& name, std::string_view content) const {
  const std::string file = path_ + "/" + name;
  std::ofstream(file, std::ios::binary) << content;
  return file;
}

}  // namespace gatehouse
