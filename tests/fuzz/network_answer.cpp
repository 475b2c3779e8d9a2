// What others make us parse on the way to a broker: a proxy's answer to CONNECT, and the texts that name
// broker and proxy. The first byte of the input says which.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "fuzz.hpp"
#include "telemetry/link/proxy.hpp"

using namespace glimpse;

namespace {

/// Bytes up to the empty line that ends a header, with it; all of them where there is none.
std::size_t header_bytes(const std::string& answer) {
  const std::size_t crlf = answer.find("\r\n\r\n"), lf = answer.find("\n\n");
  return std::min({crlf == std::string::npos ? answer.size() : crlf + 4,
                   lf == std::string::npos ? answer.size() : lf + 2});
}

void answer_as_proxy(const std::string& answer) {
  int pair[2];
  expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0, "there are sockets");
  const FileDescriptor ours(pair[0]), theirs(pair[1]);
  expect(write(theirs.get(), answer.data(), answer.size()) == static_cast<ssize_t>(answer.size()),
         "the answer is shorter than a socket's buffer");
  shutdown(theirs.get(), SHUT_WR);

  const Proxy proxy = parse_proxy_uri("http://user:secret@proxy:3128");
  const auto fault =
      ask_proxy(ours.get(), proxy, {true, "broker", 8883}, {{}, Steady::now() + std::chrono::minutes(1)});
  std::string rest(answer.size(), '\0');
  rest.resize(static_cast<std::size_t>(std::max<ssize_t>(read(ours.get(), rest.data(), rest.size()), 0)));
  if (fault) {
    expect(fault->reason == escape_control(fault->reason), "the words are one line");
    expect(fault->reason.find("secret") == std::string::npos &&
               fault->reason.find(proxy.login) == std::string::npos,
           "the words hold no password");
  } else {
    expect(answer.rfind("HTTP/1.", 0) == 0 && answer.substr(8, 2) == " 2", "only a 2xx opens the way");
    expect(rest == answer.substr(header_bytes(answer)),
           "what follows the header is left to the broker's reader");
  }
}

void expect_sound(const Endpoint& endpoint) {
  expect(endpoint.port >= 1 && endpoint.port <= 65535, "a port is 1 to 65535");
  expect(endpoint.text() == escape_control(endpoint.text()), "no control character gets into a request");
  expect(endpoint.text().find_first_of(" @/") == std::string::npos, "a host is one word");
  const HostAndPort again = parse_host_and_port(endpoint.text());
  expect(again.host == endpoint.host && again.port == endpoint.port, "what is written is read back the same");
}

void name_broker(const std::string& uri) {
  try {
    expect_sound(parse_broker_uri(uri));
  } catch (const Error& error) {
    expect_good_refusal(error, ExitCode::usage, 8 * uri.size() + 1024);
  }
}

void name_proxy(const std::string& uri) {
  try {
    const Proxy proxy = parse_proxy_uri(uri);
    expect_sound(proxy.address);
    expect(proxy.login == escape_control(proxy.login), "a login adds no line to the request");
  } catch (const Error& error) {
    expect_good_refusal(error, ExitCode::usage, 256);  // so it does not repeat the password
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(data + 1, data + size);
  switch (data[0]) {
    case 'a':
      answer_as_proxy(text);
      break;
    case 'b':
      name_broker(text);
      break;
    case 'p':
      name_proxy(text);
      break;
    default:
      return -1;  // not for the corpus
  }
  return 0;
}
