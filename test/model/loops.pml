/*
 * loops.pml - the outer and the inner process of fry-run, under every order of events
 *
 * fry-run is two processes. The caller starts the outer process; the inner process is its child and
 * the parent of COMMAND. Spin tries every order in which their steps, those of
 * COMMAND and those of an environment can follow each other. The environment sends TERM, and
 * kills, stops and continues the two processes between any two steps.
 *
 * Promised: when both processes have ended, nothing is left. COMMAND gets TERM as often as it was
 * sent, and before KILL. The run ends after a stop request, after COMMAND's end and after SIGKILL
 * to one of the two processes: no order of events gets stuck, and none goes on for ever.
 *
 * Assumed:
 * - Times have an order and no length: the hold of a signal is longer than a sweep, the schedule is
 *   longer than a hold and than a stop of the outer process, the deadline of the outer process is
 *   longer than the schedule. Apart from that a timer may expire at any moment.
 * - A signal is sent to a process group in one step: no fork(2) comes in between.
 * - A sweep signals each process once, in any order. It begins after COMMAND was executed.
 * - The environment continues the outer process after each stop. It does not stop the inner process
 *   before PR_SET_PDEATHSIG or after the outer one has died, since no process would continue it.
 * - The inner process hangs only where TERM is sent to the outer one. The outer process does not know
 *   of a stop request that the inner one alone has received, and so has no deadline for it.
 * - Either process is killed, but not both, and a run gets one broadcast: TERM by a sweep or to the
 *   process group, which the outer process, the inner one and COMMAND share. `check` shows what
 *   happens otherwise.
 *
 * Left out: signals but TERM, KILL, STOP, CONT and those that only wake (SIGCHLD, the parent's
 * death, the ring's wake-up: one bit); job control, options, nested runs, cgroups, inherited
 * children; reuse of pids; how the tree is found; the layout of the ring, which is filled and
 * drained in one step. The copies of TERM that a daemon gets are not counted.
 *
 * `check` sets the scenario: -DSEND= how TERM is sent, -DSENDS= how often, -DKILLS= how many
 * processes are killed, -DSTOPS, -DDAEMONS=; -DFAULT= names a fault to put in.
 */
#ifndef FAULT
#define FAULT none
#endif
#ifndef SENDS
#define SENDS 1
#endif
#ifndef DAEMONS
#define DAEMONS 1
#endif
#define RING 1 /* entries */
#define when(condition, ...) if :: (condition) -> __VA_ARGS__ :: else fi

#define OUTER   0
#define INNER   1
#define COMMAND 2
#define DAEMON  3 /* a child of COMMAND, in a session of its own */
#define OUTSIDE 4 /* parent of the outer process, and of orphans that escaped */

mtype = {absent, running, stopped, hung, zombie, gone};
mtype = {to_none, to_outer, to_inner, to_group, by_sweep};
mtype = {none, no_takeover, no_deadline, not_continued, wake_lost, ring_full, not_matched,
	no_second_look, not_asked, early_lost, early_resent, no_getppid, death_signal_term,
	killed_once, not_reaped};

/* What the kernel knows */
mtype state[4] = absent;
byte parent[4] = OUTSIDE;
bool term[4];      /* TERM is pending; a second one merges with it */
bool woken[5];     /* a signal that only wakes is pending */
bool death_signal; /* the inner process has set PR_SET_PDEATHSIG */

/* Memory that the processes of fry-run share */
byte ring;  /* signals that the outer process relays; more of them wait in the kernel */
bool asked; /* the inner process wants to know what is pending in the outer one */
bool final; /* the inner process has ended the run */
bool early; /* the inner process had TERM when COMMAND was forked, and COMMAND had not */
bool snapshot, compared; /* the inner process has set `early`; COMMAND has corrected it */

/* What timers and assertions look at */
byte step;         /* of the schedule: 0 before a stop request, 1 TERM, 2 KILL */
byte sent, merged; /* TERM by the environment; how many merged with an earlier one */
byte got;          /* copies of TERM to COMMAND */
bool sweeping;     /* a sweep is under way */
bool relaying;     /* the outer process has received TERM, and not put it into the ring yet */

#define is_alive(p)      (state[p] == running || state[p] == stopped || state[p] == hung)
#define is_dead(p)       (state[p] == zombie || state[p] == gone)
#define is_child(p, c)   (parent[c] == p && state[c] != absent && state[c] != gone)
#define has_children(p)  (is_child(p, INNER) || is_child(p, COMMAND) || is_child(p, DAEMON))
#define is_over          (is_dead(OUTER) && !is_alive(INNER))

inline fork(p, c) { parent[c] = p; state[c] = running }
inline resume(p) { when(state[p] == stopped, state[p] = running; woken[p] = true) } /* CONT */
inline reap(p, c) { when(parent[c] == p && state[c] == zombie, state[c] = gone) }
inline reap_all(p) { d_step { reap(p, INNER); reap(p, COMMAND); reap(p, DAEMON) } }

/* An orphan goes to the nearest subreaper that lives. */
inline reparent(p, c) {
	when(parent[c] == p,
		parent[c] = (p > INNER && is_alive(INNER) -> INNER :
			(is_alive(OUTER) -> OUTER : OUTSIDE));
		woken[parent[c]] = parent[c] <= INNER)
}

/* Let a process die. */
inline end(p) {
	d_step {
		state[p] = zombie;
		term[p] = false;
		woken[p] = false;
		woken[parent[p]] = parent[p] <= INNER;
		reparent(p, COMMAND);
		reparent(p, DAEMON);
		when(p == OUTER, parent[INNER] = OUTSIDE;
			when(death_signal, woken[INNER] = true;
				when(FAULT != death_signal_term, resume(INNER))))
	}
}

inline kill(p) { atomic { when(is_alive(p), end(p)) } }

/* Send TERM. A copy counts when it is sent, unless COMMAND has still all signals blocked. */
inline post(p) {
	when(is_alive(p),
		got = got + (p == COMMAND && (compared || !term[p]));
		merged = merged + (term[p] && (p == OUTER || (p == COMMAND && !compared)));
		term[p] = true;
		assert(got <= sent))
}

/* Send KILL to all that is left, until wait(2) knows no child; COMMAND may fork in between. */
inline kill_all(p) {
	do
	:: !has_children(p) -> break
	:: else ->
		kill(DAEMON);
		kill(COMMAND);
		when(FAULT != not_reaped, reap_all(p));
		when(FAULT == killed_once, break)
	od
}

/* The outer process relays, continues the inner process, and takes over if that was killed. */
#define has_room         (ring < RING || FAULT == ring_full)
#define deadline_expires (armed && is_alive(INNER) && (step == 2 || state[INNER] == hung) && \
	FAULT != no_deadline)

inline relay() {
	if
	:: d_step { term[OUTER] && has_room -> term[OUTER] = false; relaying = true; armed = true };
		d_step { relaying = false; ring = (ring < RING -> ring + 1 : ring) };
		woken[INNER] = true
	:: else
	fi
}

proctype outer() provided (state[OUTER] != stopped) {
	bool armed; /* by the first stop request */

	{
		atomic { fork(OUTER, INNER); run inner() };
		do
		:: is_dead(INNER) -> break
		:: atomic { woken[OUTER] || (term[OUTER] && (has_room || !armed)) ||
			deadline_expires -> woken[OUTER] = false; armed = armed || term[OUTER] };
			relay();
			d_step { /* SIGCHLD says CLD_STOPPED */
				when(FAULT != not_continued, resume(INNER));
				when(asked && !term[OUTER], asked = false; woken[INNER] = true)
			};
			atomic { when(deadline_expires, end(INNER)) }
		od;
		when(!final && FAULT != no_takeover, kill_all(OUTER));
		atomic { is_alive(OUTER) -> end(OUTER) }
	} unless { is_dead(OUTER) }
}

/*
 * The inner process matches copies, forwards, keeps the schedule and kills. A broadcast reaches
 * the outer process, the inner one and COMMAND: the inner process gets its own copy and a relayed
 * one, and forwards neither. A copy without a partner is forwarded when its hold is over. Before
 * that the inner process looks for the partner once more: for its own copy among pending signals,
 * for the relayed one by asking the outer process, which may be stopped, to relay what it has.
 */
#define hold_expires (!sweeping && !asked && (own != (relayed > 0) || FAULT == not_matched))
#define is_quiet     (!sweeping && !relaying && !term[OUTER] && !term[INNER] && !own && \
	relayed + ring == 0)
#define step_expires (step == 1 && is_quiet && has_children(INNER))
#define looks_too_soon (FAULT == early_lost || FAULT == early_resent)

inline take() { when(term[INNER], term[INNER] = false; own = true) }
inline drain() { relayed = relayed + ring; ring = 0 }

inline match() {
	when(own && relayed > 0 && (!early || compared) && FAULT != not_matched,
		own = false;
		asking = false;
		relayed--;
		when(early, early = false; post(COMMAND)))
}

inline end_hold() {
	if
	:: hold_expires && relayed > 0 ->
		d_step { when(FAULT != no_second_look, take()); match() };
		d_step { when(relayed > 0 && (!own || FAULT == not_matched),
			relayed--; post(COMMAND)) }
	:: d_step { hold_expires && own && !asking && FAULT != not_asked ->
		asking = true; asked = true; woken[OUTER] = true }
	:: hold_expires && own && (asking || FAULT == not_asked) ->
		d_step { drain(); match() };
		d_step { when(own && relayed == 0, own = false; asking = false; post(COMMAND)) }
	:: else
	fi
}

proctype inner() provided (state[INNER] != stopped && state[INNER] != hung) {
	bool own, asking, listed;
	byte relayed;

	{
		death_signal = true;
		when(parent[INNER] != OUTER && FAULT != no_getppid, end(INNER));
		d_step { when(looks_too_soon, early = term[INNER]; snapshot = true) };
		atomic { fork(INNER, COMMAND); run descendant(COMMAND) };
		d_step { when(!looks_too_soon, early = term[INNER]; snapshot = true) };
		d_step { when(FAULT == early_resent && term[INNER] && !early, post(COMMAND)) };
		do
		:: atomic { woken[INNER] || term[INNER] || hold_expires || step_expires ->
			woken[INNER] = (FAULT == wake_lost -> woken[INNER] : false) };
			d_step { take() };
			d_step { drain() };
			d_step {
				when(FAULT == wake_lost, woken[INNER] = false);
				when(step == 0 && (own || relayed > 0), step = 1);
				match()
			};
			end_hold();
			reap_all(INNER);
			if
			:: !has_children(INNER) -> break
			:: parent[INNER] != OUTER -> kill_all(INNER); break
			:: d_step { parent[INNER] == OUTER && has_children(INNER) && !listed &&
				state[COMMAND] == gone -> /* it has left a daemon behind */
				listed = true;
				step = (step == 0 -> 1 : step);
				post(DAEMON) }
			:: atomic { step_expires -> step = 2;
				assert(got >= sent - merged || is_dead(COMMAND) ||
					parent[INNER] != OUTER) };
				kill_all(INNER);
				break
			:: else
			fi
		od;
		final = true;
		atomic { is_alive(INNER) -> end(INNER) }
	} unless { is_dead(INNER) }
}

/* COMMAND, and the daemon that it may leave behind: each obeys TERM or ignores it. */
proctype descendant(byte self) {
	bool stays = true;

	{
		if
		:: self == COMMAND ->
			snapshot; /* signals are blocked here: what came since fork(2) is pending */
			d_step {
				compared = true;
				woken[INNER] = woken[INNER] || early;
				early = early && (!term[COMMAND] || looks_too_soon)
			};
			if
			:: stays = false
			:: skip
			fi
		:: else
		fi;
		do
		:: atomic { self == COMMAND && state[DAEMON] == absent && DAEMONS > 0 ->
			fork(COMMAND, DAEMON); run descendant(DAEMON) }
		:: atomic { !stays && is_alive(self) -> end(self) }
		:: atomic { term[self] -> term[self] = false; if :: end(self) :: skip fi }
		od
	} unless { is_dead(self) }
}

/* The environment */
inline visit(p) { atomic { !visited[p] -> visited[p] = true; post(p) } }

proctype sender() {
	byte left = SENDS;
	bool visited[4];

	do
	:: atomic { left == 0 || is_over || SEND == to_none -> break }
	:: atomic { left > 0 && SEND == to_outer && is_alive(OUTER) -> left--; sent++; post(OUTER) }
	:: atomic { left > 0 && SEND == to_inner && is_alive(INNER) -> left--; sent++; post(INNER) }
	:: atomic { left > 0 && SEND == to_group -> left--; sent++;
		post(OUTER); post(INNER); post(COMMAND) }
	:: atomic { left > 0 && SEND == by_sweep && compared -> left--; sent++; sweeping = true };
		do
		:: visit(OUTER)
		:: visit(INNER)
		:: visit(COMMAND)
		:: visit(DAEMON)
		:: atomic { visited[0] && visited[1] && visited[2] && visited[3] ->
			sweeping = false; break }
		od
	od
}

#ifdef KILLS
/* Once the inner process was killed, at a deadline included, the outer one is not killed, too. */
proctype killer() {
	byte left = KILLS;

	do
	:: left == 0 || is_over -> break
	:: atomic { left > 0 && is_alive(INNER) -> left--; end(INNER) }
	:: d_step { left > 0 && state[INNER] == running && SEND == to_outer ->
		left--; state[INNER] = hung }
	:: atomic { left > 0 && is_alive(OUTER) && (!is_dead(INNER) || final || KILLS > 1) ->
		left--; end(OUTER) }
	od
}
#endif

#ifdef STOPS
proctype stopper(byte self) {
	atomic { is_over || (state[self] == running && is_alive(OUTER) && death_signal) ->
		when(!is_over, state[self] = stopped; woken[parent[self]] = true) };
	d_step { when(self == OUTER, resume(OUTER)) }
}
#endif

init {
	atomic {
		state[OUTER] = running;
		run outer();
		run sender();
#ifdef KILLS
		run killer();
#endif
#ifdef STOPS
		run stopper(OUTER);
		run stopper(INNER)
#endif
	};
	if
	:: is_over -> assert(!is_alive(COMMAND) && !is_alive(DAEMON))
	:: timeout -> assert(sent == 0 && is_alive(OUTER) && is_alive(INNER) && is_alive(COMMAND))
	fi
}
