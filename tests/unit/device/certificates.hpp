// Certificates, and what a refusal of them says.
#pragma once

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "catch.hpp"
#include "core/error.hpp"
#include "device/credentials.hpp"
#include "temp_folder.hpp"

/// A folder of fresh certificates, as tests/integration/make_certs.sh makes them; gone at the end.
class Certificates {
 public:
  Certificates() {
    REQUIRE(
        std::system(("'" GLIMPSE_ROOT "/tests/integration/make_certs.sh' '" + folder_.path().string() + "'")
                        .c_str()) == 0);
  }
  [[nodiscard]] std::string file(const std::string& name) const { return (folder_.path() / name).string(); }
  [[nodiscard]] glimpse::Credentials of(const std::string& name) const {
    return {file("ca.crt"), file(name + ".crt"), file(name + ".key")};
  }

 private:
  TempFolder folder_;
};

inline std::string read_text(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

/// Replaces what is in the file, in place.
inline void write_text(const std::string& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

inline void set_mode(const std::string& file, mode_t mode) {
  REQUIRE(chmod(file.c_str(), mode) == 0);
}

/// What `act` is refused with, or "" where it is not. Every refusal is one line and has exit code 77.
template <typename Act>
std::string refusal_of(Act act) {
  try {
    act();
    return "";
  } catch (const glimpse::Error& error) {
    CHECK(error.code() == glimpse::ExitCode::credentials);
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    return error.what();
  }
}
