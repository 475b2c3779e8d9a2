// A key that never leaves its token: softhsm2 in the place of a TPM or HSM.
#include <filesystem>
#include <fstream>

#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;
namespace fs = std::filesystem;

namespace {

const std::string driver = "/usr/lib/softhsm/libsofthsm2.so";

bool can_run(const TempFolder& folder) {
  return fs::exists(driver) &&
         run({"openssl", "list", "-provider", "pkcs11", "-providers"}, folder.file("providers")) == 0;
}

}  // namespace

TEST_CASE("a session with a key in a PKCS#11 token") {
  const TempFolder folder;
  if (!can_run(folder)) {
    WARN(
        "softhsm2 or OpenSSL's provider for PKCS#11 (Debian 13: pkcs11-provider) is not installed: left out");
    return;
  }
  const std::vector<std::string> token{"env", "SOFTHSM2_CONF=" + folder.file("softhsm2.conf"),
                                       "PKCS11_PROVIDER_MODULE=" + driver};
  const auto in_token = [&](std::vector<std::string> command) {
    command.insert(command.begin(), token.begin(), token.end());
    return command;
  };
  const auto must_run = [&](std::vector<std::string> command) {
    const int code = run(in_token(std::move(command)), folder.file("log"));
    INFO(read_text(folder.file("log")));
    REQUIRE(code == 0);
  };
  Broker broker;
  broker.start();
  const Credentials files = broker.settings().credentials;
  fs::create_directory(folder.file("tokens"));
  std::ofstream(folder.file("softhsm2.conf")) << "directories.tokendir = " << folder.file("tokens") << "\n";
  must_run(
      {"softhsm2-util", "--init-token", "--free", "--label", "box", "--pin", "12 3&4", "--so-pin", "4321"});
  must_run({"openssl", "pkcs8", "-topk8", "-nocrypt", "-in", files.key_file, "-out", folder.file("key.p8")});
  must_run({"softhsm2-util", "--import", folder.file("key.p8"), "--token", "box", "--label", "device", "--id",
            "01", "--pin", "12 3&4"});
  std::ofstream(folder.file("pin")) << "12 3&4\n";
  fs::permissions(folder.file("pin"), fs::perms::owner_read | fs::perms::owner_write);

  const auto probe = [&](const std::string& key) {
    return in_token(
        {GLIMPSE_PROBE, broker.settings().uri, files.ca_file, files.cert_file, key, "test-device"});
  };
  const std::string uri = "pkcs11:token=box;object=device";

  const Subscriber subscriber(broker);
  const Process device(probe(uri + "?pin-source=" + folder.file("pin")), folder.file("device.log"));
  const bool arrived = eventually([&] { return subscriber.seqs() == std::vector<std::uint64_t>{1}; });
  INFO(read_text(folder.file("device.log")));
  CHECK(arrived);

  // What cannot be had is refused in words, with no question on the terminal.
  const auto refused = [&](const std::string& key, const std::string& words) {
    fs::remove(folder.file("log"));
    CHECK(run(probe(key), folder.file("log")) != 0);
    CHECK_THAT(read_text(folder.file("log")), ContainsSubstring(words));
    CHECK_THAT(read_text(folder.file("log")), !ContainsSubstring("Enter"));
  };
  refused(uri, "needs a PIN");
  refused(uri + "?pin-value=54321", "another one");
  refused("pkcs11:token=box;object=other?pin-source=" + folder.file("pin"), "not to be had from the token");
  fs::permissions(folder.file("pin"), fs::perms::others_read, fs::perm_options::add);
  refused(uri + "?pin-source=" + folder.file("pin"), "chmod 600 " + folder.file("pin"));
}
