#include "device/credentials.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "certificates.hpp"

namespace fs = std::filesystem;
using namespace glimpse;

namespace {

std::string refusal(const Credentials& credentials) {
  return refusal_of([&] { check_credentials(credentials); });
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
  SECTION(
      "a key that others may use, or reached by a symbolic link: see checked_file_test.cpp for the rest") {
    set_mode(good.key_file, 0640);
    CHECK_THAT(refusal(good), ContainsSubstring("chmod 600 " + good.key_file));
    set_mode(good.key_file, 0400);
    CHECK(refusal(good).empty());
    const std::string link = made.file("link.key");
    fs::create_symlink(good.key_file, link);
    CHECK_THAT(refusal({good.ca_file, good.cert_file, link}), ContainsSubstring("symbolic link"));
    fs::create_symlink(good.cert_file, made.file("link.crt"));
    CHECK(refusal({good.ca_file, made.file("link.crt"), good.key_file}).empty());
  }
  SECTION("files cut short: a copy in progress") {
    const std::string two = read_text(made.file("ca.crt")) + read_text(made.file("other-ca.crt"));
    const std::string cut = made.file("cut");
    for (const auto size : {two.size() - 30, two.size() - 300}) {
      write_text(cut, two.substr(0, size));
      CHECK_THAT(refusal({cut, "", ""}), ContainsSubstring("cut off"));
    }
    for (const std::size_t size : {0, 100, 500}) {
      write_text(cut, two.substr(0, size));
      CHECK_THAT(refusal({cut, "", ""}), ContainsSubstring("no PEM certificate"));
    }
    set_mode(cut, 0600);
    write_text(cut, read_text(good.key_file).substr(0, 150));
    CHECK_THAT(refusal({good.ca_file, good.cert_file, cut}), ContainsSubstring("no PEM private key"));
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

TEST_CASE("what was checked is what is used, whatever happens to the files meanwhile") {
  const Certificates made;
  const Credentials files = made.of("device");
  const std::string ca = read_text(files.ca_file), cert = read_text(files.cert_file),
                    key = read_text(files.key_file);
  const LoadedCredentials loaded(files);
  fs::rename(made.file("server.key"), files.key_file);
  write_text(files.cert_file, "not this");
  fs::remove(files.ca_file);

  CHECK(read_text(loaded.ca_path()) == ca);
  CHECK(read_text(loaded.cert_path()) == cert);
  CHECK(read_text(loaded.key_path()) == key);
  CHECK(read_text(loaded.key_path()) == key);  // each reader begins at the start
  CHECK(loaded.names().key_file == files.key_file);

  // Sealed: root too can write nothing into it, and no program that we start inherits it.
  const int file = std::stoi(loaded.key_path().substr(std::string("/proc/self/fd/").size()));
  CHECK(pwrite(file, "x", 1, 0) == -1);
  CHECK(ftruncate(file, 0) == -1);
  CHECK((fcntl(file, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(read_text(loaded.key_path()) == key);
}

TEST_CASE("no credentials are no paths") {
  const LoadedCredentials none;
  CHECK(none.ca_path() + none.cert_path() + none.key_path() + none.valid_until() == "");
  none.refuse_expired();
  CHECK(LoadedCredentials(Credentials{}).same_content(LoadedCredentials(Credentials{})));
}
