/*
 * Nothing lost, nothing twice, in order: the life of the messages of one
 * lane, with the account, its store, its websocket and the server failing
 * between any two steps.
 *
 * One step of the model is one function of the program, which it is named
 * after: intake.c (enter_live, intake_post), inbox_put and put_done,
 * channels.c (mark_end, mark_failed, marks_flush), lanes.c (lane_start),
 * turn_end.c (turn_commit), outbox.c (send_post, post_done, row_failed,
 * look_done, outbox_done, outbox_retell), storelink.c (load), gapfill.c
 * (gapfill_start, channel_opened) and conn.c (on_closed, on_hello).
 *
 * What the server is taken to do (measured): it executes a request that has
 * left at most once, perhaps late, and then knows its pending_post_id for
 * longer than any other request with it can be on its way; on a resume it
 * replays what was not delivered; events come in order otherwise. The
 * program holds its mark back for as long as they may not (mark_move); here it
 * moves at once, which leaves more to go wrong.
 *
 * Every run is finite: what can go wrong has a budget. At its end all
 * messages must be answered, once each, in their order.
 */

#define N 3		/* messages; MAY_START names each */
#ifndef CRASHES
#define CRASHES 2	/* of the account */
#endif
#ifndef STORE_CRASHES
#define STORE_CRASHES 1
#endif
#ifndef DROPS
#define DROPS 1		/* of the websocket */
#endif
#ifndef UNCLEAR
#define UNCLEAR 1	/* answers of the server that are lost */
#endif
#ifndef REFUSALS
#define REFUSALS 1	/* of the store: a full disk */
#endif

#define NONE 255

/* The server. */
byte posted;		/* messages 0 .. posted-1 are in the channel */
byte delivered;		/* events before this one were put on the socket */
byte answers[N];	/* posts of ours with this key */
byte n_order;		/* answers in the channel */
byte requested[N];	/* requests to post it that are under way */
bit cached[N];		/* its pending_post_id is known */

/* The store: what survives. */
#define OPEN 1
#define DONE 2
byte inbox[N];		/* 0, OPEN, DONE */
byte seq[N];		/* order of their puts */
byte next_seq = 1;
byte outbox[N];		/* 0, OPEN, DONE */
byte mark;		/* messages before it have been looked at */

/* The account: what does not. */
bit loaded;		/* storelink_ready() */
bit live;		/* the websocket */
bit resumable;
bit open_;		/* the channel: no gap fill under way */
byte filling;		/* 1: to be fetched, 2: to be handed over */
byte fetched;
byte held;		/* live events before this one wait: channel_hold() */
byte held_from;
bit seen[N];
byte entering[N];	/* inbox.put is under way: its place in the link */
byte n_entered;
bit late[N];		/* its epoch is that of a put that was refused */
bit known[N];		/* a row of the lane */
byte turn = NONE;	/* running */
byte row[N];		/* of the outbox: 0, or as below */
#define READY 1
#define LOOK 2		/* unclear: look before sending */
#define SENT 3
#define TOLD 4		/* posted; outbox.done is on its way */
byte next_at;		/* newest message that is being made safe */
byte inflight;
byte mark_mem;
bit no_mark;		/* mark_failed(): until the next fill */

byte crashes, store_crashes, drops, unclear, refusals;

inline forget()
{
	loaded = 0; live = 0; resumable = 0; open_ = 0; filling = 0;
	fetched = 0; held = 0; held_from = 0; turn = NONE; next_at = 0; inflight = 0;
	mark_mem = 0; no_mark = 0; n_entered = 0;
	for (i : 0 .. N - 1) {
		seen[i] = 0; entering[i] = 0; known[i] = 0; row[i] = 0;
		late[i] = 0
	}
}

/* The websocket is gone: marks_close(), gapfill_stop(). */
inline gone()
{
	live = 0; open_ = 0; filling = 0; fetched = 0;
	held = 0; held_from = 0;
}

/* enter(): m is new to this life; its put is on its way. */
inline enter(m)
{
	if
	:: seen[m] -> skip
	:: else ->
		seen[m] = 1;
		late[m] = 0;
		n_entered++;
		entering[m] = n_entered;
		inflight++;
		if
		:: next_at < m + 1 -> next_at = m + 1
		:: else -> skip
		fi
	fi
}

/* Numbers of the link begin anew when it is empty: fewer states. */
inline settle()
{
	if
	:: inflight == 0 -> n_entered = 0
	:: else -> skip
	fi
}

inline mark_move()
{
	if
	:: open_ && !no_mark && inflight == 0 && next_at > mark_mem ->
		mark_mem = next_at
	:: else -> skip
	fi
}

/* The link to the store keeps its order, and so does the store. */
#define EARLIER(k, m) (entering[k] && entering[k] < entering[m])
#define PUT_NEXT(m) (entering[m] &&					\
	!EARLIER(0, m) && !EARLIER(1, m) && !EARLIER(2, m))

/* m is the first row of its lane that waits, and nothing holds the lane. */
#define BEFORE(k, m) (known[k] && seq[k] < seq[m])
#define HOLDS(k) (row[k] != 0 && row[k] != TOLD)
#define MAY_START(m) (turn == NONE && known[m] &&			\
	!BEFORE(0, m) && !BEFORE(1, m) && !BEFORE(2, m) &&		\
	!HOLDS(0) && !HOLDS(1) && !HOLDS(2))

/* The server executes a post: POST /posts with this pending_post_id. */
inline execute(m)
{
	if
	:: cached[m] -> skip
	:: else ->
		cached[m] = 1;
		answers[m]++;
		assert(answers[m] == 1);	/* nothing twice */
		assert(m == n_order);		/* and in order */
		n_order++
	fi
}

active proctype server()
{
	/* People write. */
	do
	:: posted < N -> posted++
	:: posted == N -> break
	od
}

/* The connection, the gap fill, and what kills them. */
active proctype account()
{
	byte i, m;

end:
	do
	/* load: rows as they were written; what may have left is unclear. */
	:: atomic { !loaded ->
		loaded = 1;
		for (m : 0 .. N - 1) {
			if
			:: inbox[m] == OPEN -> known[m] = 1
			:: else -> skip
			fi;
			if
			:: outbox[m] == OPEN -> row[m] = LOOK
			:: else -> skip
			fi
		}
		mark_mem = mark;
		next_at = mark;
		m = 0
	   }

	/* on_hello() of a fresh connection: gapfill_start(). */
	:: atomic { loaded && !live && !resumable ->
		live = 1; filling = 1; open_ = 0;
		delivered = posted;
		held = posted; held_from = posted
	   }
	/* A proven resume: what was not delivered comes now. */
	:: atomic { loaded && !live && resumable ->
		live = 1; open_ = 1; resumable = 0;
		held = delivered; held_from = delivered
	   }

	/*
	 * posts_done(): what lies behind the mark, as the server has it now,
	 * once no put of before is under way (gapfill_start() waits for it).
	 */
	:: atomic { live && filling == 1 && inflight == 0 ->
		filling = 2; fetched = posted
	   }
	/*
	 * page_take() and intake_post();
	 * then channel_opened() and intake_open(): what was held meanwhile.
	 */
	:: atomic { live && filling == 2 ->
		m = mark_mem;
		do
		:: m < fetched -> enter(m); m++
		:: m >= fetched -> break
		od;
		filling = 0; fetched = 0; open_ = 1; no_mark = 0;
		do
		:: held_from < held -> enter(held_from); held_from++
		:: held_from >= held -> break
		od;
		mark_move();
		m = 0
	   }
	/* enter_live(), or channel_hold() while the fill is under way. */
	:: atomic { live && delivered < posted ->
		m = delivered;
		delivered++;
		held = delivered;
		if
		:: open_ -> enter(m); held_from = delivered
		:: else -> skip
		fi;
		m = 0
	   }
	/* marks_flush(): written behind. */
	:: atomic { mark < mark_mem -> mark = mark_mem }

	/* on_closed(): the end was noticed, or it was not. */
	:: atomic { live && drops < DROPS ->
		drops++;
		if
		:: open_ -> resumable = 1
		:: resumable = 0
		fi;
		gone()
	   }
	/* kill -9 of the account. */
	:: atomic { loaded && crashes < CRASHES ->
		crashes++;
		forget();
		i = 0
	   }
	/* kill -9 of the store: an end that it was told may be forgotten. */
	:: atomic { loaded && store_crashes < STORE_CRASHES ->
		store_crashes++;
		for (i : 0 .. N - 1) {
			if
			:: outbox[i] == DONE && row[i] == TOLD ->
				outbox[i] = OPEN
			:: else -> skip
			fi
		}
		i = 0
	   }
	od
}

/* One message on its way through the account. */
active [N] proctype message()
{
	byte m = _pid - 2;
	byte i;

end:
	do
	/* inbox_put and put_done: durable before any effect. */
	:: atomic { PUT_NEXT(m) && !late[m] ->
		if
		:: inbox[m] == 0 ->
			inbox[m] = OPEN; seq[m] = next_seq; next_seq++
		:: else -> skip
		fi;
		entering[m] = 0;
		inflight--;
		settle();
		mark_move();
		if
		:: inbox[m] == OPEN && turn != m -> known[m] = 1
		:: else -> skip
		fi
	   }
	/* The disk is full: mark_failed(), seen_forget(), conn_drop(). */
	:: atomic { PUT_NEXT(m) && (late[m] || refusals < REFUSALS) ->
		if
		:: late[m] -> skip
		:: else ->
			refusals++;
			for (i : 0 .. N - 1) {
				late[i] = 1
			}
			i = 0
		fi;
		entering[m] = 0; seen[m] = 0;
		inflight--;
		settle();
		next_at = mark_mem; no_mark = 1;
		gone(); resumable = 0
	   }

	/* lane_start(): one at a time, behind what is not delivered. */
	:: atomic { MAY_START(m) -> turn = m }
	/* turn.commit: the row done and its answer written, or neither. */
	:: atomic { turn == m ->
		if
		:: inbox[m] == OPEN ->
			inbox[m] = DONE; outbox[m] = OPEN; row[m] = READY
		:: else -> skip
		fi;
		known[m] = 0;
		turn = NONE
	   }

	/* send_post(). */
	:: atomic { row[m] == READY -> row[m] = SENT; requested[m]++ }
	/* The server executes it: at once, late, or after we have gone. */
	:: atomic { requested[m] > 0 -> requested[m]--; execute(m) }
	/* post_done(). */
	:: atomic { row[m] == SENT && answers[m] > 0 -> row[m] = TOLD }
	/* row_failed(): no answer, whether it was executed or will be. */
	:: atomic { row[m] == SENT && unclear < UNCLEAR ->
		unclear++;
		row[m] = LOOK
	   }
	/* The request never arrived. */
	:: atomic { requested[m] > 0 && row[m] != SENT -> requested[m]-- }
	/* Half a minute later. */
	:: atomic { cached[m] && requested[m] == 0 -> cached[m] = 0 }
	/* lookup_start() and look_done(), which sends in the same step. */
	:: atomic { row[m] == LOOK ->
		if
		:: answers[m] > 0 -> row[m] = TOLD
		:: else -> row[m] = SENT; requested[m]++
		fi
	   }
	/* outbox.done; and outbox_retell() when the store forgot it. */
	:: atomic { row[m] == TOLD && outbox[m] != DONE -> outbox[m] = DONE }
	od
}

/* Never a second answer, and never one before its elders. */
active proctype watch()
{
end:
	do
	/* Nothing can happen any more: all must be answered. */
	:: timeout ->
		assert(posted == N && n_order == N);
		break
	od
}
