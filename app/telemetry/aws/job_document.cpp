#include "telemetry/aws/job_document.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/model_name.hpp"
#include "core/text.hpp"
#include "telemetry/link/broker_settings.hpp"

namespace glimpse {
namespace {

using Json = nlohmann::json;

constexpr std::size_t max_url = 4096;  // a presigned one of S3 with a session token has about 2,000

std::string shown(const std::string& text) {
  return "'" + escape_control(text.substr(0, 80)) + "'";
}

std::string text_at(const Json& document, const char* key) {
  const auto found = document.find(key);
  if (found == document.end()) throw BadJob(std::string(key) + " is missing");
  if (!found->is_string()) throw BadJob(std::string(key) + " is no text");
  return *found;
}

std::string name_at(const Json& document) {
  const std::string name = text_at(document, "name");
  if (!is_model_name(name)) {
    throw BadJob("name " + shown(name) +
                 ": expected 1 to 64 of a-z A-Z 0-9 . _ - that begin with a letter or digit");
  }
  return name;
}

/// Words of an error hold no part of it: it may be a secret.
std::string url_at(const Json& document) {
  const std::string url = text_at(document, "url");
  const bool is_https = url.rfind("https://", 0) == 0;
  if (!is_https && url.rfind("http://", 0) != 0) throw BadJob("url: expected https://");
  if (url.size() > max_url) throw BadJob("url is longer than 4096 characters");
  if (!std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 0x7f && c != '\\'; }))
    throw BadJob("url has a character that no URL has");
  const std::size_t begin = url.find("//") + 2;
  const std::string authority = url.substr(begin, url.find_first_of("/?#", begin) - begin);
  if (authority.find('@') != std::string::npos) throw BadJob("url has a user in it, which is not taken");
  try {
    const Endpoint endpoint{is_https, parse_host_and_port(authority).host, 0};
    if (!is_https && !endpoint.is_loopback()) throw BadJob("url: expected https://");
  } catch (const std::invalid_argument& error) {
    throw BadJob(std::string("url: ") + error.what());
  }
  return url;
}

std::string sha256_at(const Json& document) {
  std::string hash = text_at(document, "sha256");
  for (char& c : hash) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  if (hash.size() != 64 || hash.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw BadJob("sha256: expected 64 hexadecimal digits");
  return hash;
}

std::uint64_t size_at(const Json& document) {
  const auto found = document.find("size");
  if (found == document.end()) throw BadJob("size is missing");
  if (!found->is_number_unsigned() || *found == 0u)
    throw BadJob("size: expected the file's bytes, a whole number");
  const auto size = found->get<std::uint64_t>();
  if (size > max_model_bytes_of_a_job)
    throw BadJob("size " + std::to_string(size) + ": a model file may have at most 1 GiB");
  return size;
}

std::optional<bool> quantized_at(const Json& document) {
  const auto found = document.find("quantized");
  if (found == document.end()) return std::nullopt;
  if (!found->is_boolean()) throw BadJob("quantized is neither true nor false");
  return found->get<bool>();
}

void refuse_other_keys(const Json& document) {
  constexpr const char* known[] = {"operation", "name", "url", "sha256", "size", "quantized"};
  for (const auto& [key, value] : document.items()) {
    if (std::none_of(std::begin(known), std::end(known), [&](const char* name) { return key == name; }))
      throw BadJob("unknown key " + shown(key));
  }
}

}  // namespace

ModelOrder parse_job_document(const std::string& json) {
  const Json document = Json::parse(json, nullptr, false);
  if (document.is_discarded()) throw BadJob("the job document is not JSON");
  if (!document.is_object()) throw BadJob("the job document is no JSON object");
  const std::string operation = text_at(document, "operation");
  if (operation != "install-model")
    throw BadJob("operation " + shown(operation) + " is unknown; install-model is what there is");
  refuse_other_keys(document);
  return {name_at(document), url_at(document), sha256_at(document), size_at(document),
          quantized_at(document)};
}

}  // namespace glimpse
