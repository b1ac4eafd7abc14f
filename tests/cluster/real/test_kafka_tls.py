"""A broker that is spoken to by TLS and lets in users by SCRAM: what the settings in [kafka.client] do with it."""

import subprocess
import time

import pytest
from breakable_kafka import START_S, BrokerAt, Forwarding, await_forwarded, await_told, event, reachable, ready, running
from waiting import wait_until

pytestmark = pytest.mark.timeout(START_S + 60)
USER, PASSWORD = "moe", "right"
MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512")
SOON_S = 5  # long before a reader's patience, 10 s, ends


def openssl(folder, *args):
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True, timeout=60)


def make_authority(folder, name):
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
            "-out", f"{name}.crt")


def make_certificate(folder, authority):
    """Of 127.0.0.1, with its key, as brokers take it."""
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=broker", "-keyout", "broker.key", "-out", "broker.csr")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl(folder, "x509", "-req", "-in", "broker.csr", "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key", "-CAcreateserial",
            "-days", "2", "-extfile", "names", "-out", "broker.crt")
    (folder / "broker.pem").write_text((folder / "broker.key").read_text() + (folder / "broker.crt").read_text())


@pytest.fixture(scope="module")
def guarded(kafka_to_break, tmp_path_factory):
    """A broker without ZooKeeper; the folder has the certificate of the authority that signed its own, and of one that did not."""
    kafka_to_break.up()
    folder = tmp_path_factory.mktemp("guarded")
    make_authority(folder, "ours")
    make_authority(folder, "another")
    make_certificate(folder, "ours")
    clients, controller, inside = kafka_to_break.spare_addresses()
    properties = {
        "process.roles": "broker,controller", "node.id": 1, "controller.quorum.voters": f"1@{controller}",
        "listeners": f"SASL_SSL://{clients},CONTROLLER://{controller},INSIDE://{inside}",
        "advertised.listeners": f"SASL_SSL://{clients},INSIDE://{inside}",
        "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT,INSIDE:PLAINTEXT",
        "controller.listener.names": "CONTROLLER", "inter.broker.listener.name": "INSIDE", "log.dirs": folder / "data",
        "offsets.topic.replication.factor": 1, "group.initial.rebalance.delay.ms": 0,
        "sasl.enabled.mechanisms": ",".join(MECHANISMS), "ssl.keystore.type": "PEM", "ssl.keystore.location": folder / "broker.pem"}
    for mechanism in MECHANISMS:
        properties[f"listener.name.sasl_ssl.{mechanism.lower()}.sasl.jaas.config"] = \
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    (folder / "broker.properties").write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    *java, broker_class, _ = kafka_to_break.command()
    users = [word for mechanism in MECHANISMS for word in ("--add-scram", f"{mechanism}=[name={USER},password={PASSWORD}]")]
    subprocess.run([*java, "kafka.tools.StorageTool", "format", "--cluster-id", "4L6g3nShT-eMCtK--X86sw", "--config",
                    str(folder / "broker.properties"), *users], check=True, capture_output=True, timeout=120)
    with running([*java, broker_class], folder, properties):
        yield folder, BrokerAt(clients)


class Guarded(Forwarding):
    def __init__(self, folder, guarded, topic, password=PASSWORD, mechanism=MECHANISMS[0], authority="ours"):
        certificates, broker = guarded
        folder.mkdir(exist_ok=True)
        (folder / "password").write_text(password + "\n")
        super().__init__(folder, broker, topic, f'sasl_password_file = "{folder / "password"}"', f"""[kafka.client]
security.protocol = "SASL_SSL"
sasl.mechanism = "{mechanism}"
sasl.username = "{USER}"
ssl.ca.location = "{certificates / f'{authority}.crt'}"
""")


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_events_go_to_it_and_are_read_from_it(guarded, tmp_path, mechanism):
    questlog = Guarded(tmp_path / "node", guarded, mechanism.lower(), mechanism=mechanism)
    with questlog.serve() as server:
        server.send_events(event(number) for number in range(300))
        await_forwarded(server)
        assert server.stop() == 0
    other = Guarded(tmp_path / "other", guarded, mechanism.lower(), mechanism=mechanism)
    other.ok("land", "--once")
    for table in ([], ["--landed"]):
        assert [row["number"] for row in other.sql("SELECT number FROM fault", *table)] == list(range(300))
    assert "Leader: 1" in other.ok("topic", "describe", "--topic", mechanism.lower())


WRONG = {"password": ({"password": "wrong"}, "Authentication failed"),
         "authority": ({"authority": "another"}, "certificate verify failed")}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_told_at_once_and_mended_without_a_loss(guarded, tmp_path, wrong):
    settings, says = WRONG[wrong]
    questlog = Guarded(tmp_path / "node", guarded, f"wrong-{wrong}", **settings)
    with questlog.serve() as server:
        server.send_events(event(number) for number in range(10))
        line = await_told(server, "they are kept here: ")
        assert says in line and "see [kafka.client] and sasl_password_file" in line
        wait_until(lambda: not reachable(server), "the metric says so")
        assert "10 events to be forwarded to Kafka (refused)" in ready(server).text
        assert server.stop() == 0
    for command in (("sql", "FROM events"), ("tail", "-e"), ("land", "--once"), ("topic", "list"), ("topic", "create", "--topic", "x")):
        began = time.monotonic()
        done = questlog.run(*command)
        assert done.code in (1, 2) and says in done.err and "see [kafka.client]" in done.err, done
        assert time.monotonic() - began < SOON_S, done
    questlog = Guarded(tmp_path / "node", guarded, f"wrong-{wrong}")
    with questlog.serve() as server:
        await_forwarded(server)
        assert server.stop() == 0
    assert [row["number"] for row in questlog.sql("SELECT number FROM fault")] == list(range(10))


def test_a_broker_that_is_gone_is_told_soon(guarded, tmp_path):
    _, broker = guarded
    questlog = Guarded(tmp_path / "node", (guarded[0], BrokerAt("127.0.0.1:1")), "gone")
    assert broker.address != "127.0.0.1:1"
    for command in (("sql", "FROM events"), ("tail", "-e"), ("status",), ("topic", "list")):
        began = time.monotonic()
        done = questlog.run(*command)
        assert done.code != 0 and "Connection refused" in done.err, done
        assert time.monotonic() - began < SOON_S, done
