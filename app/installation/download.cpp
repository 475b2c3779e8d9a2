#include "installation/download.hpp"

#include <openssl/evp.h>
#include <spdlog/spdlog.h>

#include <array>
#include <fstream>
#include <memory>
#include <vector>

#include "core/backoff.hpp"
#include "core/waiting.hpp"

namespace glimpse {
namespace {

namespace fs = std::filesystem;
using Kind = FetchResult::Kind;

std::uint64_t bytes_of(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  return error ? 0 : size;
}

std::string sha256_of(const fs::path& file, const std::stop_token& stop) {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  bool good = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  std::ifstream in(file, std::ios::binary);
  std::vector<char> part(1 << 20);
  while (good && in) {
    if (stop.stop_requested()) throw InstallStopped{};
    in.read(part.data(), static_cast<std::streamsize>(part.size()));
    good = EVP_DigestUpdate(context.get(), part.data(), static_cast<std::size_t>(in.gcount())) == 1;
  }
  if (!good || in.bad() || EVP_DigestFinal_ex(context.get(), digest.data(), &length) != 1)
    throw InstallError(file.string() + " cannot be read back");
  std::string hex;
  for (unsigned int i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

void fetch_all(const FetchRequest& request, const RetryRules& rules, const std::stop_token& stop,
               const std::function<void(std::uint64_t)>& progress) {
  Backoff backoff(rules.base, rules.cap, rules.random01);
  int attempts = 0;
  while (true) {
    const std::uint64_t before = bytes_of(request.file);
    const FetchResult result = fetch_rest(request, stop, progress);
    if (result.kind == Kind::complete) return;
    if (result.kind == Kind::stopped || stop.stop_requested()) throw InstallStopped{};
    if (result.kind == Kind::refused) throw InstallError(result.reason);
    if (bytes_of(request.file) >= before + rules.gain) {
      attempts = 0;
      backoff.reset();
    }
    if (++attempts >= rules.attempts)
      throw InstallError(result.reason + "; given up after " + std::to_string(attempts) + " attempts");
    const auto pause = backoff.next();
    spdlog::warn("{}; next attempt in {:.1f} s", result.reason, static_cast<double>(pause.count()) / 1000);
    if (!sleep_for(stop, pause)) throw InstallStopped{};
  }
}

}  // namespace

void download(const FetchRequest& request, const std::string& sha256, const RetryRules& rules,
              const std::stop_token& stop, const std::function<void(std::uint64_t)>& progress) {
  fetch_all(request, rules, stop, progress);
  const std::string found = sha256_of(request.file, stop);
  if (found != sha256)
    throw InstallError("the file's SHA-256 is " + found + ", the job says " + sha256 +
                       ": it is another file, or damaged");
}

}  // namespace glimpse
