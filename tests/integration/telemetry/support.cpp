#include "support.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

namespace glimpse::test {

namespace fs = std::filesystem;

bool eventually(const std::function<bool()>& condition, std::chrono::seconds limit) {
  const auto deadline = Steady::now() + limit;
  while (!condition()) {
    if (Steady::now() > deadline) return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0);
  REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  close(fd);
  return ntohs(address.sin_port);
}

std::string read_text(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

TempFolder::TempFolder() {
  std::string name = (fs::temp_directory_path() / "glimpse-test-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Process::Process(std::vector<std::string> command, const std::string& output) {
  std::vector<char*> arguments;
  for (auto& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  setenv("PATH", (std::string(getenv("PATH")) + ":/usr/sbin").c_str(), 1);
  pid_ = fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    const int out = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    const int in = open("/dev/null", O_RDONLY);
    dup2(in, 0);
    dup2(out, 1);
    dup2(out, 2);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
}

void Process::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

int run(std::vector<std::string> command, const std::string& output) {
  std::string line;
  for (const auto& word : command) line += "'" + word + "' ";
  const int status = std::system((line + ">>'" + output + "' 2>&1 </dev/null").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Broker::Broker(const std::string& device) : device_(device), port_(free_port()) {}

Broker::~Broker() {
  run({GLIMPSE_ROOT "/scripts/broker.sh", "stop", "--dir", folder_.file("")}, "/dev/null");
}

void Broker::start() {
  const int code = run({GLIMPSE_ROOT "/scripts/broker.sh", "start", "--dir", folder_.file(""), "--port",
                        std::to_string(port_), "--device", device_},
                       folder_.file("start.log"));
  INFO(read_text(folder_.file("start.log")));
  REQUIRE(code == 0);
}

void Broker::kill_hard() {
  const pid_t pid = std::stoi(read_text(folder_.file("pid")));
  REQUIRE(::kill(pid, SIGKILL) == 0);
  // Gone, or a zombie that whoever adopted it has not collected yet.
  REQUIRE(eventually([&] {
    const std::string state = read_text("/proc/" + std::to_string(pid) + "/stat");
    return state.empty() || state.find(") Z") != std::string::npos;
  }));
}

BrokerSettings Broker::settings() const {
  BrokerSettings settings;
  settings.uri = "mqtts://localhost:" + std::to_string(port_);
  settings.device = device_;
  settings.credentials = {file("ca.crt"), file("devices/" + device_ + ".crt"),
                          file("devices/" + device_ + ".key")};
  return settings;
}

Subscriber::Subscriber(const Broker& broker)
    : process_({"stdbuf", "-oL", "mosquitto_sub", "-h", "localhost", "-p", std::to_string(broker.port()),
                "--cafile", broker.file("ca.crt"), "--cert", broker.file("subscriber.crt"), "--key",
                broker.file("subscriber.key"), "-d", "-t", "glimpse/#", "-F", "MESSAGE %t %p"},
               folder_.file("out")) {
  REQUIRE(
      eventually([this] { return read_text(folder_.file("out")).find("Subscribed") != std::string::npos; }));
}

std::vector<Subscriber::Message> Subscriber::messages() const {
  std::vector<Message> list;
  std::istringstream lines(read_text(folder_.file("out")));
  for (std::string line; std::getline(lines, line);) {
    if (lines.eof() || line.rfind("MESSAGE ", 0) != 0) continue;  // no newline yet: half a line
    const auto space = line.find(' ', 8);
    list.push_back({line.substr(8, space - 8), line.substr(space + 1)});
  }
  return list;
}

std::vector<std::uint64_t> Subscriber::seqs() const {
  std::vector<std::uint64_t> list;
  for (const auto& [topic, payload] : messages()) {
    if (topic.ends_with("/telemetry")) list.push_back(nlohmann::json::parse(payload).at("seq"));
  }
  return list;
}

std::string Subscriber::last_status() const {
  std::string status;
  for (const auto& [topic, payload] : messages()) {
    if (topic.ends_with("/status")) status = nlohmann::json::parse(payload).at("status");
  }
  return status;
}

std::string login_wanted(const TempFolder& folder) {
  std::ofstream(folder.file("nobody"));  // mosquitto 2.0.21 does not start with /dev/null
  return "allow_anonymous false\npassword_file " + folder.file("nobody") + "\n";
}

TlsServer::TlsServer(const TempFolder& certificates, const std::string& server, const std::string& access,
                     const std::string& newest_tls)
    : certificates_(certificates), port_(free_port()) {
  std::ofstream(folder_.file("conf"))
      << "user root\nlistener " << port_ << " 127.0.0.1\ncafile " << certificates.file("ca.crt")
      << "\ncertfile " << certificates.file(server + ".crt") << "\nkeyfile "
      << certificates.file(server + ".key") << "\nrequire_certificate true\n"
      << access;
  // Mosquitto can set the oldest version it speaks, but only OpenSSL's own configuration the newest.
  std::ofstream(folder_.file("openssl"))
      << "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n"
      << "MaxProtocol = " << newest_tls << "\n";
  process_ =
      std::make_unique<Process>(std::vector<std::string>{"env", "OPENSSL_CONF=" + folder_.file("openssl"),
                                                         "mosquitto", "-c", folder_.file("conf")},
                                folder_.file("log"));
  const bool up =
      eventually([this] { return read_text(folder_.file("log")).find(" running") != std::string::npos; });
  INFO(read_text(folder_.file("log")));
  REQUIRE(up);
}

BrokerSettings TlsServer::settings(const std::string& device_certificate) const {
  BrokerSettings settings;
  settings.uri = "mqtts://localhost:" + std::to_string(port_);
  settings.device = "test-device";
  settings.credentials.ca_file = certificates_.file("ca.crt");
  if (!device_certificate.empty()) {
    settings.credentials.cert_file = certificates_.file(device_certificate + ".crt");
    settings.credentials.key_file = certificates_.file(device_certificate + ".key");
  }
  return settings;
}

std::optional<LinkFault> try_once(const BrokerSettings& settings, const LinkLimits& limits) {
  LinkSeams seams;
  seams.limits = limits;
  const LinkEvents nobody{[](std::uint64_t) {}, [](const LinkFault&) {}};
  return make_mqtt_link(settings, nullptr, seams)->connect({}, 30s, nobody);
}

void make_certificates(const TempFolder& folder) {
  REQUIRE(run({GLIMPSE_ROOT "/tests/integration/make_certs.sh", folder.file("")}, folder.file("log")) == 0);
}

Record make_record(std::uint64_t seq) {
  Record record;
  record.hostname = "host";
  record.device = "test-device";
  record.boot = "boot";
  record.seq = seq;
  record.time_ms = 1732262400000 + static_cast<std::int64_t>(seq);
  record.predictions = {{1, "umbrella", 0.9}};
  record.system.cpu_percent = 12.5;
  return record;
}

namespace {

OutboxSettings in(const TempFolder& folder) {
  OutboxSettings settings;
  settings.file = folder.file("outbox.db");
  settings.max_age = std::chrono::hours(24 * 365 * 100);  // the records of the tests are old
  settings.drain = Drain::fifo;
  return settings;
}

StatusMessage message(const BrokerSettings& settings) {
  return {"1.2.3", settings.device, "boot", [] { return ModelIdentity{"demo", true, "onednn", "abc"}; }};
}

}  // namespace

Device::Device(const BrokerSettings& settings)
    : outbox(in(folder_), nullptr), publisher(settings, message(settings), outbox) {}

Device::Device(const BrokerSettings& settings, PublisherSeams seams)
    : outbox(in(folder_), nullptr), publisher(settings, message(settings), outbox, {}, std::move(seams)) {}

void Device::accept(std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t seq = first; seq <= last; ++seq) outbox.accept(make_record(seq));
  REQUIRE(outbox.flush(10s));
}

void Gate::release() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

void Gate::close() {
  const std::lock_guard lock(mutex_);
  open_ = false;
}

PublisherSeams Gate::seams(const BrokerSettings& settings) {
  const auto will = [] { return std::string(R"({"status":"offline"})"); };
  return {make_mqtt_link(settings, will), [] { return 0.0; }, Steady::now,
          [this](std::chrono::milliseconds) {
            std::unique_lock lock(mutex_);
            changed_.wait_for(lock, 60s, [this] { return open_; });
            return 0ms;
          }};
}

}  // namespace glimpse::test
