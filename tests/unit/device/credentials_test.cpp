#include "device/credentials.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "catch.hpp"
#include "core/error.hpp"

namespace fs = std::filesystem;
using namespace glimpse;

namespace {

/// A folder of fresh certificates, as tests/integration/make_certs.sh makes them; gone at the end.
class Certificates {
 public:
  Certificates() {
    std::string name = (fs::temp_directory_path() / "glimpse-certs-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
    REQUIRE(std::system(("'" GLIMPSE_ROOT "/tests/integration/make_certs.sh' '" + name + "'").c_str()) == 0);
  }
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;
  ~Certificates() { fs::remove_all(path_); }
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
  [[nodiscard]] Credentials of(const std::string& name) const {
    return {file("ca.crt"), file(name + ".crt"), file(name + ".key")};
  }

 private:
  fs::path path_;
};

/// The refusal's message, or "" where there is none. Every refusal has exit code 77.
std::string refusal(const Credentials& credentials) {
  try {
    check_credentials(credentials);
    return "";
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::credentials);
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    return error.what();
  }
}

}  // namespace

TEST_CASE("check_credentials names the file and what mends it") {
  const Certificates made;
  const Credentials good = made.of("device");

  CHECK(refusal({}).empty());
  CHECK(refusal({good.ca_file, "", ""}).empty());
  CHECK(refusal(good).empty());

  SECTION("a missing file") {
    for (const auto& bad : {Credentials{made.file("none"), good.cert_file, good.key_file},
                            Credentials{good.ca_file, made.file("none"), good.key_file},
                            Credentials{good.ca_file, good.cert_file, made.file("none")}}) {
      CHECK_THAT(refusal(bad), ContainsSubstring(made.file("none")) && ContainsSubstring("No such file"));
    }
  }
  SECTION("only one of certificate and key") {
    CHECK_THAT(refusal({good.ca_file, good.cert_file, ""}), ContainsSubstring("--key"));
    CHECK_THAT(refusal({good.ca_file, "", good.key_file}), ContainsSubstring("--cert"));
  }
  SECTION("text that is no PEM, and a folder") {
    const std::string text = made.file("text");
    std::ofstream(text) << "hello\n";
    REQUIRE(chmod(text.c_str(), 0600) == 0);
    CHECK_THAT(refusal({text, "", ""}), ContainsSubstring("no PEM certificate"));
    CHECK_THAT(refusal({good.ca_file, text, good.key_file}), ContainsSubstring("no PEM certificate"));
    CHECK_THAT(refusal({good.ca_file, good.cert_file, text}), ContainsSubstring("no PEM private key"));
    CHECK_THAT(refusal({made.file(""), "", ""}), ContainsSubstring("is not a file"));
  }
  SECTION("a key that others may use: 0600 and 0400 alone are right") {
    for (mode_t mode = 0; mode <= 0777; ++mode) {
      REQUIRE(chmod(good.key_file.c_str(), mode) == 0);
      const std::string message = refusal(good);
      if (mode == 0600 || mode == 0400) {
        CHECK(message.empty());
      } else if (geteuid() == 0 || (mode & 0400) != 0) {
        CHECK_THAT(message, ContainsSubstring("chmod 600 " + good.key_file));
      } else {
        CHECK_FALSE(message.empty());
      }
    }
  }
  SECTION("a key behind a symlink is judged by the file it leads to") {
    const std::string link = made.file("link.key");
    REQUIRE(chmod(good.key_file.c_str(), 0644) == 0);
    fs::create_symlink(good.key_file, link);
    CHECK_THAT(refusal({good.ca_file, good.cert_file, link}), ContainsSubstring("chmod 600"));
  }
  SECTION("another user's key") {
    if (geteuid() == 0) {  // nobody else can give a file away
      REQUIRE(chown(good.key_file.c_str(), 12345, 12345) == 0);
      CHECK_THAT(refusal(good), ContainsSubstring("uid 12345") && ContainsSubstring("chown"));
    }
  }
  SECTION("a key of another certificate") {
    CHECK_THAT(refusal({good.ca_file, good.cert_file, made.file("server.key")}),
               ContainsSubstring("does not belong to"));
  }
  SECTION("an expired certificate is refused, one not yet valid is left to the handshake") {
    CHECK_THAT(refusal(made.of("device-expired")), ContainsSubstring("expired at "));
    CHECK(refusal(made.of("device-future")).empty());
  }
  SECTION("an encrypted key is refused without asking for its pass phrase") {
    const std::string locked = made.file("locked.key");
    REQUIRE(std::system(("umask 077; openssl pkey -aes256 -passout pass:secret -in '" + good.key_file +
                         "' -out '" + locked + "'")
                            .c_str()) == 0);
    CHECK_THAT(refusal({good.ca_file, good.cert_file, locked}), ContainsSubstring("is encrypted"));
  }
}

TEST_CASE("a device name is one topic level and an AWS thing name") {
  CHECK(is_device_name("camera_7:a-B"));
  CHECK(is_device_name(std::string(128, 'x')));
  for (const auto& bad : {"", "a#", "a+b", "a/b", "a b", "a.b", "caf\xc3\xa9", "a\n"})
    CHECK_FALSE(is_device_name(bad));
  CHECK_FALSE(is_device_name(std::string(129, 'x')));
  CHECK(is_device_name(default_device_name()));
}

TEST_CASE("a boot id is a random UUID of version 4") {
  const std::regex uuid("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string id = new_boot_id();
    CHECK(std::regex_match(id, uuid));
    seen.insert(id);
  }
  CHECK(seen.size() == 100);
}
