// What a file holds, told by its SHA-256: times and inodes change where nothing did, and stay where something did.
#pragma once

#include <string>
#include <vector>

namespace gatehouse {

// Of one file's bytes; empty where it cannot be read (or is no regular file, or larger than any that is watched).
std::string file_digest(const std::string& path);

}  // namespace gatehouse
