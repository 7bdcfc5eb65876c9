// actors.rs - actors that each own a process, in a thread
//
//	actors DIRECTORY COMMAND...
//
// Each COMMAND, for sh, runs in DIRECTORY below a fry-run. The actors stop in the opposite order when
// standard input ends or has a line. If this program is killed, -p stops all processes. -p acts on the
// death of the whole program: a thread that has started a fry-run may end.
use std::sync::mpsc::{channel, Sender};
use std::{env, fs, io, process, thread};

extern "C" {
    fn kill(pid: i32, signal: i32) -> i32;
}
const TERM: i32 = 15;

/// The report is one line of JSON. A quote within a value is escaped, so no value looks like a field.
fn field<'a>(report: &'a str, name: &str) -> &'a str {
    let mut parts = report.splitn(2, &name);
    let value = parts.nth(1).unwrap_or("unknown");
    value
        .split(|c| c == ',' || c == '}')
        .next()
        .unwrap()
        .trim_matches('"')
}

type Actor = (Sender<()>, thread::JoinHandle<()>);

fn run(number: usize, directory: String, command: String, started: Sender<()>) -> Actor {
    let (stop, mailbox) = channel();
    let actor = thread::spawn(move || {
        let path = env::temp_dir().join(format!("actors-{}-{}.json", process::id(), number));
        let mut child = process::Command::new("fry-run")
            .args(["-p", "TERM", "-k", "5s"])
            .arg(format!("--report={}", path.display()))
            .args(["--", "sh", "-c", command.as_str()])
            .current_dir(directory)
            .stdin(process::Stdio::null())
            .spawn()
            .expect("cannot start fry-run");
        drop(started);
        mailbox.recv().ok();
        unsafe { kill(child.id() as i32, TERM) }; // its number is not reused before wait()
        child.wait().expect("cannot wait");
        let report = fs::read_to_string(&path).unwrap_or_default();
        fs::remove_file(&path).ok();
        let leftovers = report
            .split("\"leftovers\":")
            .nth(1)
            .unwrap_or("")
            .matches("{\"pid\":")
            .count();
        let (cause, status) = (field(&report, "\"cause\":"), field(&report, "\"status\":"));
        println!(
            "task {}: {}, status {}, {} left behind",
            number, cause, status, leftovers
        );
    });
    (stop, actor)
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let (started, all_started) = channel();
    let mut actors = Vec::new();
    for (i, command) in arguments[2..].iter().enumerate() {
        actors.push(run(
            i + 1,
            arguments[1].clone(),
            command.clone(),
            started.clone(),
        ));
    }
    drop(started);
    all_started.recv().ok(); // fails when no actor holds the other end any more
    println!("started");
    io::stdin().read_line(&mut String::new()).ok();
    for (stop, actor) in actors.into_iter().rev() {
        stop.send(()).ok();
        actor.join().unwrap();
    }
}
