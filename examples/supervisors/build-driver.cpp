// build-driver.cpp - run a build in a file system of its own, and unmount it when the build has stopped
//
//	build-driver DIRECTORY COMMAND...
//
// Each COMMAND, for sh, runs below a fry-run: first the caches and servers, last the build itself. TERM and
// INT stop them in the opposite order. When a fry-run has ended, nothing of its task is left, so the file
// system is not busy. If the driver is killed, -p stops all tasks.
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

struct Task {
	pid_t pid;
	int report;
};

static Task start(const char *directory, const char *command)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC))
		throw std::runtime_error("no pipe");
	std::string report = "--report=fd:" + std::to_string(ends[1]);
	Task task = {fork(), ends[0]};
	if (task.pid == 0) {
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, nullptr); // COMMAND inherits the mask, too
		fcntl(ends[1], F_SETFD, 0);
		if (chdir(directory) == 0)
			execlp("fry-run", "fry-run", "-p", "TERM", "-k", "5s", report.c_str(), "--", "sh", "-c",
				command, nullptr);
		_exit(127);
	}
	close(ends[1]);
	return task;
}

// The report is one line of JSON. A quote within a value is escaped, so no value looks like a field.
static std::string field(const std::string &report, const std::string &name)
{
	size_t from = report.find("\"" + name + "\":");
	if (from == std::string::npos)
		return "unknown";
	from += name.size() + 3;
	std::string value = report.substr(from, report.find_first_of(",}", from) - from);
	return value[0] == '"' ? value.substr(1, value.size() - 2) : value;
}

static void stop(size_t number, const Task &task)
{
	std::string report;
	char buffer[4096];
	size_t leftovers = 0;
	kill(task.pid, SIGTERM);
	for (ssize_t n; (n = read(task.report, buffer, sizeof(buffer))) > 0;)
		report.append(buffer, n);
	waitpid(task.pid, nullptr, 0);
	size_t at = report.find("\"leftovers\":");
	while ((at = report.find("{\"pid\":", at)) != std::string::npos) {
		leftovers++;
		at++;
	}
	std::cout << "task " << number << ": " << field(report, "cause") << ", status " << field(report, "status")
		<< ", " << leftovers << " left behind" << std::endl;
}

int main(int, char **argv)
{
	std::vector<Task> tasks;
	sigset_t stops;
	int received;
	sigemptyset(&stops);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGINT);
	sigprocmask(SIG_BLOCK, &stops, nullptr);
	if (mount("tmpfs", argv[1], "tmpfs", 0, "")) {
		perror(argv[1]);
		return 1;
	}
	for (int i = 2; argv[i]; i++)
		tasks.push_back(start(argv[1], argv[i]));
	std::cout << "started" << std::endl;
	sigwait(&stops, &received);
	for (size_t i = tasks.size(); i > 0; i--)
		stop(i, tasks[i - 1]);
	if (umount(argv[1])) {
		perror(argv[1]);
		return 1;
	}
	std::cout << "unmounted" << std::endl;
}
