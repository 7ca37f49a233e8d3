// The version of this build, from the build system.
#pragma once

namespace gatehouse {

inline constexpr const char* kVersion = GATEHOUSE_VERSION;

}  // namespace gatehouse
