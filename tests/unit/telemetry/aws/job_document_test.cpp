#include "telemetry/aws/job_document.hpp"

#include <nlohmann/json.hpp>

#include "catch.hpp"

using glimpse::BadJob;
using glimpse::parse_job_document;
using Json = nlohmann::json;

namespace {

const std::string hash(64, 'a');

Json good() {
  return {{"operation", "install-model"},
          {"name", "birds"},
          {"url", "https://models.example.com/birds.tar?X-Amz-Signature=secret"},
          {"sha256", hash},
          {"size", 4715423}};
}

Json with(const std::string& key, const Json& value) {
  Json document = good();
  document[key] = value;
  return document;
}

std::string refusal(const std::string& text) {
  try {
    (void)parse_job_document(text);
  } catch (const BadJob& error) {
    return error.what();
  }
  return "taken";
}

std::string refusal(const std::string& key, const Json& value) {
  return refusal(with(key, value).dump());
}

}  // namespace

TEST_CASE("a job says which model, from where, and whether it is that") {
  const auto order = parse_job_document(good().dump());
  CHECK(order.name == "birds");
  CHECK(order.url == "https://models.example.com/birds.tar?X-Amz-Signature=secret");
  CHECK(order.sha256 == hash);
  CHECK(order.size == 4715423);
  CHECK_FALSE(order.quantized.has_value());
  CHECK(parse_job_document(with("quantized", true).dump()).quantized == true);
  CHECK(parse_job_document(with("quantized", false).dump()).quantized == false);
  CHECK(parse_job_document(with("sha256", std::string(64, 'A')).dump()).sha256 == hash);
}

TEST_CASE("each key that is missing is named") {
  for (const char* key : {"operation", "name", "url", "sha256", "size"}) {
    Json document = good();
    document.erase(key);
    CHECK(refusal(document.dump()) == std::string(key) + " is missing");
  }
}

TEST_CASE("an operation that is not known is named") {
  CHECK(refusal("operation", "reboot") == "operation 'reboot' is unknown; install-model is what there is");
  CHECK(refusal("operation", 1) == "operation is no text");
}

TEST_CASE("a key that is not known is named: a misspelt one would be obeyed by nobody") {
  CHECK(refusal("quantised", true) == "unknown key 'quantised'");
  CHECK_THAT(refusal("a\nb", true), ContainsSubstring("unknown key 'a\\x0ab'"));
}

TEST_CASE("what is no document of ours is refused") {
  CHECK(refusal("") == "the job document is not JSON");
  CHECK(refusal("{") == "the job document is not JSON");
  CHECK(refusal("[]") == "the job document is no JSON object");
  CHECK(refusal("null") == "the job document is no JSON object");
  CHECK(refusal("{\"operation\": \"\xff\"}") == "the job document is not JSON");
  CHECK(refusal(std::string(30000, '[')) == "the job document is not JSON");
  const std::string nested = std::string(15000, '[') + std::string(15000, ']');
  CHECK(refusal("name", Json::parse(nested)) == "name is no text");
}

TEST_CASE("a name that could lead out of the folder of models, or hide in it, is refused") {
  for (const char* name : {"", ".", "..", "../demo", "a/b", "/etc", ".hidden", "-rf", "a b", "a\nb", "é"})
    CHECK_THAT(refusal("name", name), ContainsSubstring("expected 1 to 64 of"));
  CHECK_THAT(refusal("name", std::string(65, 'a')), ContainsSubstring("expected 1 to 64 of"));
  CHECK(refusal("name", std::string(64, 'a')) == "taken");
  CHECK(refusal("name", "mobilenet_v2-1.0") == "taken");
  CHECK_THAT(refusal("name", std::string("a\0b", 3)), ContainsSubstring("expected 1 to 64 of"));
  CHECK(refusal("name", Json::array()) == "name is no text");
}

TEST_CASE("only https is taken, and http to this machine") {
  for (const char* url : {"https://h/x", "https://h:8443/x?a=b", "http://localhost:80/x",
                          "http://127.0.0.1/x", "http://[::1]:8080/x"})
    CHECK(refusal("url", url) == "taken");
  for (const char* url : {"http://example.com/x", "http://127.0.0.1.example.com/x", "ftp://h/x",
                          "file:///etc/passwd", "HTTPS://h/x", "//h/x", "x", ""})
    CHECK(refusal("url", url) == "url: expected https://");
  CHECK(refusal("url", "http://127.0.0.1@example.com/x") == "url has a user in it, which is not taken");
  CHECK(refusal("url", "https://u:p@h/x") == "url has a user in it, which is not taken");
  CHECK(refusal("url", "http://127.0.0.1\\@example.com/x") == "url has a character that no URL has");
  CHECK(refusal("url", "https://h/a b") == "url has a character that no URL has");
  CHECK(refusal("url", "https://h/\r\nHost: x") == "url has a character that no URL has");
  CHECK(refusal("url", "https://h/" + std::string(4096, 'a')) == "url is longer than 4096 characters");
  CHECK_THAT(refusal("url", "https://"), ContainsSubstring("url: "));
  CHECK_THAT(refusal("url", "https://h:99999/"), ContainsSubstring("url: "));
  CHECK(refusal("url", Json::object()) == "url is no text");
}

TEST_CASE("no part of a URL's query is in the words of a refusal") {
  CHECK(refusal("url", "http://example.com/x?X-Amz-Signature=secret").find("secret") == std::string::npos);
  CHECK(refusal("url", "https://h h/x?X-Amz-Signature=secret").find("secret") == std::string::npos);
}

TEST_CASE("a hash that is none is refused") {
  for (const auto& value :
       {Json(""), Json(std::string(63, 'a')), Json(std::string(65, 'a')), Json(std::string(64, 'g'))})
    CHECK(refusal("sha256", value) == "sha256: expected 64 hexadecimal digits");
  CHECK(refusal("sha256", 1) == "sha256 is no text");
}

TEST_CASE("a size that is none is refused") {
  for (const auto& value : {Json(0), Json(-1), Json(1.5), Json("1"), Json(nullptr), Json::parse("1e3"),
                            Json::parse("18446744073709551616")})
    CHECK(refusal("size", value) == "size: expected the file's bytes, a whole number");
  CHECK(refusal("size", 1ull << 30) == "taken");
  CHECK(refusal("size", (1ull << 30) + 1) == "size 1073741825: a model file may have at most 1 GiB");
  CHECK_THAT(refusal("size", Json::parse("18446744073709551615")), ContainsSubstring("at most 1 GiB"));
}

TEST_CASE("quantized is a switch") {
  for (const auto& value : {Json("true"), Json(1), Json(nullptr)})
    CHECK(refusal("quantized", value) == "quantized is neither true nor false");
}
