"""Kafka goes away and comes back: what is answered meanwhile, and what arrives. Each fault is the real broker's."""

import secrets

import pytest
from breakable_kafka import (DONE, START_S, Forwarding, Posts, await_forwarded, await_told, event, names_of, post_again, reachable, ready,
                             receipt, without_repeats)
from waiting import wait_until

pytestmark = pytest.mark.timeout(START_S + 60)

ACK_KAFKA = 'ack = "kafka"'
SOME = 300  # events: more than what is in flight at once
DOWN_S = 30


def test_a_broker_that_is_down_at_the_start_is_waited_for(broker, tmp_path):
    questlog = Forwarding(tmp_path, broker)
    broker.down()
    with questlog.serve() as server:
        server.send_events(event(number) for number in range(SOME))
        await_told(server, "its events are kept here and forwarded when Kafka is back")
        assert ready(server).status == 200 and f"{SOME} events to be forwarded to Kafka (unreachable)" in ready(server).text
        server.send_events(event(number) for number in range(SOME, 2 * SOME))
        broker.up()
        await_forwarded(server)
        assert server.stop() == 0
    assert [row["number"] for row in questlog.elsewhere().sql("SELECT number FROM fault")] == list(range(2 * SOME))
    questlog.assert_arrived(2 * SOME)


def test_nothing_is_taken_for_a_broker_that_is_known_to_be_down(broker, tmp_path):
    """Until it is known, an event may be stored here, and that is what its answer says."""
    questlog = Forwarding(tmp_path, broker, kafka=ACK_KAFKA)

    def is_refused(server):
        refused = wait_until(lambda: ready(server).status == 503 and server.post("/events", event(1)), "it is known", 20)
        assert refused.status == 503 and refused.headers["retry-after"] == "1"
        assert "Kafka does not take events: " in refused.json()["error"]
        return refused.json()["error"]

    with broker.asleep():
        server = questlog.serve()
        first = server.post("/events?receipt=1", event(0, message_id="first"))
        assert first.status == 504 and "stored here, outcome pending; retry with the same message_id" in first.json()["error"]
        is_refused(server)
        again = server.post("/events?receipt=1", event(0, message_id="first"))
        assert again.status == 504, again.body
        assert (receipt(again), again.json()["duplicates"]) == (receipt(first), 1)
        assert 'questlog_log_end_offset{partition="0"} 1\n' in server.get("/metrics").text
    with server:
        after = wait_until(lambda: (done := server.post("/events?receipt=1", event(0, message_id="first"))).status == 200 and done,
                           "Kafka has it", 60)
        assert receipt(after) == receipt(first)
        broker.down()
        assert "Connection refused" in is_refused(server)
        broker.up()
        wait_until(lambda: server.post("/events?receipt=1", event(1, message_id="second")).status == 200, "it goes on", 60)
        assert ready(server).status == 200
        assert server.stop() == 0
    questlog.assert_arrived(2)


def test_the_end_comes_soon_where_the_broker_is_gone(broker, tmp_path):
    """SIGTERM waits for nobody who does not answer; the next start goes on."""
    questlog = Forwarding(tmp_path, broker)
    with questlog.serve() as server:
        server.send_events([event(0)])
        await_forwarded(server)
        broker.down()
        server.send_events([event(1)])
        wait_until(lambda: not reachable(server), "that it is gone is seen", 20)
        assert server.stop(deadline_s=8) == 0
    broker.up()
    with questlog.serve() as server:
        await_forwarded(server)
    questlog.assert_arrived(2)


def test_a_broker_killed_under_load_costs_no_request(broker, tmp_path):
    questlog = Forwarding(tmp_path, broker)
    with questlog.serve() as server:
        with Posts(server) as posts:
            posts.await_more(SOME, 200)
            broker.kill()
            down = posts.await_answers_for(DOWN_S)
            assert not reachable(server)
            assert posts.longest_silence(down, down + DOWN_S) < 2, "requests are answered all the time"
            broker.up()
            wait_until(lambda: reachable(server), "that it is back is seen", 60)
            posts.await_more(SOME, 200)
        assert {answer.status for answer in posts.answers.values()} == {200}
        await_forwarded(server)
        assert server.stop() == 0
    assert names_of(questlog.elsewhere()) == names_of(questlog) == sorted(posts.answers)
    questlog.assert_arrived(len(posts.answers))
    posts.assert_in_order(record.value for record in without_repeats(questlog.records()))


def test_every_answer_holds_where_a_broker_is_killed_under_load(broker, tmp_path):
    questlog = Forwarding(tmp_path, broker, kafka=ACK_KAFKA)
    with questlog.serve() as server:
        with Posts(server) as posts:
            posts.await_more(SOME, 200)
            broker.kill()
            down = posts.await_answers_for(DOWN_S)
            assert posts.of(503) and posts.of(504), "what was under way is answered, too"
            assert posts.longest_silence(down, down + DOWN_S) < 2, "requests are answered all the time"
            broker.up()
            posts.await_more(SOME, 200, deadline_s=60)
        assert {answer.status for answer in posts.answers.values()} == {200, 503, 504}
        assert all(answer.headers["retry-after"] == "1" for answer in posts.of(503).values())
        await_forwarded(server)
        stored = posts.of(200, 504)
        assert names_of(questlog.elsewhere()) == sorted(stored)
        for name, answer in posts.of(504).items():
            again = post_again(server, name)
            assert (again.status, receipt(again), again.json()["duplicates"]) == (200, receipt(answer), 1)
        assert server.stop() == 0
    questlog.assert_arrived(len(stored))
    posts.assert_in_order(record.value for record in without_repeats(questlog.records()))
    taken = questlog.embedded()
    assert all(f'"message_id": "{name}"' in taken[receipt(answer)["offset"]] for name, answer in stored.items())


def test_requests_of_a_dead_process_still_under_way_are_read_once(broker, tmp_path):
    """The kernel holds them for a broker that sleeps; it reads them when their sender is dead and another one has started."""
    questlog = Forwarding(tmp_path, broker)
    def padded(number):
        return event(number, pad=secrets.token_hex(500))  # 500 bytes of it, as zipped as can be
    with questlog.serve() as server:
        server.send_events(padded(number) for number in range(10))
        await_forwarded(server)
        with broker.asleep():
            server.send_events(padded(number) for number in range(10, 110))
            wait_until(lambda: broker.unread_bytes() > 100 * 500, "they are with the kernel", 20)
            server.kill()
            server = questlog.serve()
            server.send_events(padded(number) for number in range(110, 210))
            assert DONE not in ready(server).text
    with server:
        await_forwarded(server)
        assert server.stop() == 0
    for reader in (questlog, questlog.elsewhere()):
        assert [row["number"] for row in reader.sql("SELECT number FROM fault")] == list(range(210))
    questlog.assert_arrived(210)


def test_requests_of_a_dead_process_that_arrive_late_are_there_twice_and_read_once(broker, tmp_path):
    """The network holds them until another process has sent the same events: the broker takes both, as they are of two producers."""
    with broker.behind_a_slow_network(tmp_path) as (network, slow):
        questlog = Forwarding(tmp_path / "node", slow)
        with questlog.serve() as server:
            server.send_events(event(number) for number in range(10))
            await_forwarded(server)
            network.hold()
            server.send_events(event(number, pad=secrets.token_hex(50)) for number in range(10, 110))
            wait_until(lambda: network.held_bytes() > 100 * 50, "they are under way", 20)
            server.kill()
        with questlog.serve() as server:
            server.send_events(event(number) for number in range(110, 210))
            await_forwarded(server)
            assert len(questlog.records()) == 210
            for reader in (questlog, questlog.elsewhere()):
                reader.ok("land", "--once")  # books that end in the midst of what comes again
            network.release()
            wait_until(lambda: len(questlog.records()) > 210, "some come for the second time", 30)
            server.send_events(event(number) for number in range(210, 220))
            await_forwarded(server)
            assert server.stop() == 0
        lying = [record.origin[2] for record in questlog.records()]
        assert len(lying) > 220 and set(lying[210:-10]) <= set(range(10, 110)), "another reader sees them twice"
        for reader in (questlog, questlog.elsewhere()):
            assert [row["number"] for row in reader.sql("SELECT number FROM fault")] == list(range(220))
            reader.ok("land", "--once")
            assert [row["number"] for row in reader.sql("SELECT number FROM fault", "--landed")] == list(range(220))
        questlog.assert_arrived(220)


def test_zookeeper_may_be_gone_for_a_while(broker, tmp_path):
    questlog = Forwarding(tmp_path, broker)
    with questlog.serve() as server:
        with Posts(server) as posts:
            posts.await_more(SOME, 200)
            broker.kill("zookeeper")
            posts.await_more(5 * SOME, 200)
            broker.up("zookeeper")
            posts.await_more(SOME, 200)
        assert {answer.status for answer in posts.answers.values()} == {200}
        await_forwarded(server)
        assert server.stop() == 0
    assert names_of(questlog.elsewhere()) == sorted(posts.answers)
    questlog.assert_arrived(len(posts.answers))
