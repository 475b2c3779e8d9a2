#include "device/credential_store.hpp"

#include <algorithm>
#include <iterator>

#include "certificates.hpp"

namespace fs = std::filesystem;
using namespace glimpse;

namespace {

/// The files in use, and others to rotate to.
struct Rotation {
  Certificates made;
  const Credentials files{made.file("ca.crt"), made.file("live.crt"), made.file("live.key")};

  Rotation() {
    put_cert("device");
    put_key("device");
  }
  /// As a careful tool does it: written beside, then renamed over.
  void put_cert(const std::string& name) const { put(made.file(name + ".crt"), files.cert_file); }
  void put_key(const std::string& name) const { put(made.file(name + ".key"), files.key_file); }

 private:
  static void put(const std::string& from, const std::string& to) {
    fs::copy_file(from, to + ".new");
    fs::rename(to + ".new", to);
  }
};

void check_nothing_new(CredentialStore& store) {
  const CredentialNews news = store.refresh();
  CHECK_FALSE(news.changed);
  CHECK(news.text.empty());
}

std::size_t open_files() {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

/// What openssl says, not we: "2026-12-22 20:35:32".
std::string end_of(const std::string& certificate) {
  const TempFolder folder;
  const std::string out = folder.path() / "out";
  REQUIRE(
      std::system(("openssl x509 -noout -enddate -dateopt iso_8601 -in '" + certificate + "' >'" + out + "'")
                      .c_str()) == 0);
  const std::string text = read_text(out);
  return text.substr(text.find('=') + 1, 19);
}

}  // namespace

TEST_CASE("credentials that change are taken, and the old set lives as long as it is used") {
  const Rotation it;
  CredentialStore store(it.files);
  check_nothing_new(store);
  const auto before = store.current();

  it.put_key("server");
  it.put_cert("server");
  const CredentialNews news = store.refresh();
  CHECK(news.changed);
  CHECK_THAT(news.text, ContainsSubstring(it.files.cert_file) &&
                            ContainsSubstring("valid until " + end_of(it.files.cert_file) + " UTC"));
  CHECK(read_text(store.current()->cert_path()) == read_text(it.made.file("server.crt")));
  CHECK(read_text(store.current()->key_path()) == read_text(it.made.file("server.key")));
  CHECK(read_text(before->cert_path()) == read_text(it.made.file("device.crt")));
  CHECK(read_text(before->key_path()) == read_text(it.made.file("device.key")));
  check_nothing_new(store);
}

TEST_CASE("an authority that changes is taken, too") {
  const Rotation it;
  CredentialStore store({it.files.ca_file, "", ""});
  write_text(it.files.ca_file, read_text(it.made.file("other-ca.crt")));
  CHECK(store.refresh().changed);
  CHECK(read_text(store.current()->ca_path()) == read_text(it.made.file("other-ca.crt")));
}

TEST_CASE("a change within the same tick of the file system's clock is seen") {
  const Rotation it;
  const std::string authorities[] = {read_text(it.made.file("ca.crt")),
                                     read_text(it.made.file("other-ca.crt"))};
  const auto size = std::max(authorities[0].size(), authorities[1].size());
  const auto put = [&](int which) {
    std::string text = authorities[which];
    text.resize(size, '\n');
    write_text(it.files.ca_file, text);
  };
  put(0);
  CredentialStore store({it.files.ca_file, "", ""});
  int taken = 0;
  for (int i = 1; i <= 500; ++i) {
    put(i % 2);
    taken += store.refresh().changed ? 1 : 0;
  }
  CHECK(taken == 500);
}

TEST_CASE("half a rotation is not taken: the old set stays, said once for each reason, until it is whole") {
  const Rotation it;
  CredentialStore store(it.files);
  const auto refused = [&](const std::string& reason) {
    const CredentialNews news = store.refresh();
    CHECK_FALSE(news.changed);
    CHECK_THAT(news.text, ContainsSubstring(reason) && ContainsSubstring("stay in use"));
    CHECK(news.text.find('\n') == std::string::npos);
    check_nothing_new(store);
    CHECK(read_text(store.current()->cert_path()) == read_text(it.made.file("device.crt")));
    CHECK(read_text(store.current()->key_path()) == read_text(it.made.file("device.key")));
  };

  SECTION("new certificate, old key; then the key") {
    it.put_cert("server");
    refused("does not belong to");
    it.put_key("server");
    CHECK(store.refresh().changed);
  }
  SECTION("new key, old certificate; then another reason; then the old ones again") {
    it.put_key("server");
    refused("does not belong to");
    it.put_key("device");
    check_nothing_new(store);
    it.put_key("server");
    refused("does not belong to");  // a new occasion, though the same words
    fs::remove(it.files.key_file);
    refused("No such file");
  }
  SECTION("cut off in the middle") {
    write_text(it.files.cert_file, read_text(it.made.file("device.crt")).substr(0, 300));
    refused("no PEM certificate");
    write_text(it.files.key_file, "");
    write_text(it.files.cert_file, read_text(it.made.file("device.crt")));
    refused("no PEM private key");
  }
  SECTION("a mode that would be refused at the start; chmod mends it") {
    it.put_cert("server");
    it.put_key("server");
    set_mode(it.files.key_file, 0644);
    refused("chmod 600");
    set_mode(it.files.key_file, 0400);
    CHECK(store.refresh().changed);
  }
  SECTION("a folder that others can write to; chmod mends it") {
    const std::string folder = fs::path(it.files.key_file).parent_path();
    it.put_cert("server");
    it.put_key("server");
    set_mode(folder, 0777);
    refused("chmod go-w");
    set_mode(folder, 0700);
    CHECK(store.refresh().changed);
  }
  SECTION("expired") {
    it.put_key("device-expired");
    it.put_cert("device-expired");
    refused("expired at");
  }
}

TEST_CASE("a certificate that ended while the program ran does not stop a store") {
  const Certificates made;
  const CredentialStore store(made.of("device-expired"));
  CHECK_THAT(refusal_of([&] { store.current()->refuse_expired(); }), ContainsSubstring("expired at"));
}

TEST_CASE("files that were touched and hold the same are no news") {
  const Rotation it;
  CredentialStore store(it.files);
  it.put_cert("device");
  it.put_key("device");
  check_nothing_new(store);
}

TEST_CASE("rotations in place, each at once after the last: all are seen, and no descriptor stays behind") {
  const Rotation it;
  const std::string keys[] = {read_text(it.made.file("device.key")),
                              read_text(it.made.file("device-future.key"))};
  const std::string certs[] = {read_text(it.made.file("device.crt")),
                               read_text(it.made.file("device-future.crt"))};
  REQUIRE(keys[0].size() == keys[1].size());
  CredentialStore store(it.files);
  const std::size_t before = open_files();
  int taken = 0;
  for (int i = 1; i <= 100; ++i) {
    write_text(it.files.key_file, keys[i % 2]);
    write_text(it.files.cert_file, certs[i % 2]);
    taken += store.refresh().changed ? 1 : 0;
    write_text(it.files.key_file, "half");
    (void)store.refresh();
  }
  CHECK(taken == 100);
  CHECK(open_files() == before);
}
