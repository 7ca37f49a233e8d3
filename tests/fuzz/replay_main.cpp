// Runs a fuzz target over files instead of libFuzzer: every input of a corpus, whole and cut at many places, so that a
// plain build keeps what fuzzing once found. usage: NAME_fuzzer FILE_OR_FOLDER...
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

// A copy of exactly that size, so that AddressSanitizer sees a read one byte past the end.
void run(const std::string& input, std::size_t size) {
  const std::unique_ptr<std::uint8_t[]> bytes(new std::uint8_t[size]);
  std::copy_n(input.begin(), size, bytes.get());
  LLVMFuzzerTestOneInput(bytes.get(), size);
}

void replay(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string input{std::istreambuf_iterator<char>(stream), {}};
  run(input, input.size());
  constexpr std::size_t kCuts = 64;
  for (std::size_t i = 0; i < kCuts && i < input.size(); ++i) run(input, input.size() * i / kCuts);
}

std::vector<fs::path> files_under(const fs::path& path) {
  if (fs::is_regular_file(path)) return {path};
  std::vector<fs::path> files;
  if (!fs::is_directory(path)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(path))
    if (entry.is_regular_file()) files.push_back(entry.path());
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // the last name printed is the input that crashed
  std::size_t replayed = 0;
  for (int i = 1; i < argc; ++i) {
    for (const fs::path& file : files_under(argv[i])) {
      std::puts(file.c_str());
      replay(file);
      ++replayed;
    }
  }
  std::printf("%zu inputs replayed\n", replayed);
  // An empty corpus is a target that nobody tests.
  return replayed == 0 ? 1 : 0;
}
