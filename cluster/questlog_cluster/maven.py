"""Maven, as it is configured on this machine: the ordinary client for jars."""

import subprocess
from xml.sax.saxutils import escape

_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
COPY = f"{_PLUGIN}:copy"
COPY_DEPENDENCIES = f"{_PLUGIN}:copy-dependencies"
_EVERYTHING = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"


def _coordinates(jar):
    tags = {"groupId": jar.group, "artifactId": jar.artifact, "version": jar.version, "classifier": jar.classifier}
    return "".join(f"<{tag}>{escape(value)}</{tag}>" for tag, value in tags.items() if value)


def _pom(inside):
    return ("<project><modelVersion>4.0.0</modelVersion><groupId>questlog</groupId><artifactId>cluster</artifactId>"
            f"<version>1</version><packaging>pom</packaging>{inside}</project>\n")


def project(jars, transitive=True):
    """A POM that depends on the jars, and on what they depend on unless `transitive` is false."""
    return _pom("<dependencies>" + "".join(
        f"<dependency>{_coordinates(jar)}{'' if transitive else _EVERYTHING}</dependency>" for jar in jars) + "</dependencies>")


def copying(jars, folder):
    """A POM whose goal COPY puts exactly these jars, and nothing that they depend on, into the folder."""
    items = "".join(f"<artifactItem>{_coordinates(jar)}</artifactItem>" for jar in jars)
    return _pom("<build><plugins><plugin><groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId>"
                f"<configuration><outputDirectory>{escape(str(folder))}</outputDirectory><artifactItems>{items}</artifactItems>"
                "</configuration></plugin></plugins></build>")


def command(folder, arguments):
    """mvn on the folder's pom.xml, with a local repository of the folder's own: what is interrupted goes on from there."""
    return ["mvn", "--batch-mode", "--quiet", "-Dstyle.color=never", "--file", str(folder / "pom.xml"),
            f"-Dmaven.repo.local={folder}/repository", *arguments]


def maven(folder, arguments):
    subprocess.run(command(folder, arguments), check=True, stdout=subprocess.DEVNULL)
