# docs.bats - the manual page on a screen, in a browser and on paper, and the README's picture: each can be
# read, and says what fry-run does

load ../lib/helper

PAGE=$REPO/man/fry-run.1

# The documents are made once, from a copy of the tree, for all the tests of them.
setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	(requires mandoc gropdf tini dumb-init)
	unset MAKEFLAGS MAKELEVEL MFLAGS # no word of theirs in the log
	mkdir tree
	tar -C "$REPO" --exclude=./.git --exclude=./build -c . | tar -C tree -x
	make -s -C tree docs >docs.log 2>&1 || { cat docs.log && return 1; }
	assert_equal "$(<docs.log)" ''
}

setup_more() {
	docs=$BATS_FILE_TMPDIR/tree/build/docs
}

# screen [COLUMNS]: the page as a terminal shows it, without the overstrikes
screen() {
	mandoc -T ascii -O width="${1-78}" "$PAGE" | sed 's/.\x08//g'
}

# The titles of the page's sections and subsections, in order.
titles() {
	sed -n 's/^\.S[hs] //p' "$PAGE"
}

diagram() {
	sed -n '/^\.Bd -literal$/,/^\.Ed$/p' "$PAGE" | sed '1d; $d'
}

# Blanks are what a renderer is free in: one for each row of them, none at the ends.
squeezed() {
	tr -s ' \f' ' ' | sed 's/^ //; s/ $//'
}

# holds TEXT PART: these lines, one after the other
holds() {
	if [[ $1 == *"$2"* ]]; then return 0; fi
	printf 'not there:\n%s\n' "$2" >&2
	return 1
}

# --- the three ways to read it

@test "make docs makes the manual page as HTML and PDF, and a picture" {
	run ls "$docs"
	assert_lines - fry-run.1.html fry-run.1.pdf leak.svg
	assert_equal "$(head -c 5 "$docs/fry-run.1.pdf")" %PDF-
}

@test "the manual page fits 80 columns and mandoc has nothing to warn of" {
	run mandoc -T lint -W warning "$PAGE"
	assert_equal "$(grep -v 'outdated mandoc.db' <<<"$output")" ''
	run screen
	assert_equal "$(awk 'length > 78' <<<"$output")" ''
	while read -r title; do
		grep -qxE " *$title" <<<"$output" || { echo "no section $title" >&2 && false; }
	done < <(titles)
	holds "$output" "$(diagram | sed 's/^./     &/')"
}

@test "the HTML is well-formed, holds every section in its place and the diagram, its links lead somewhere" {
	requires python3
	run python3 - "$docs/fry-run.1.html" <<-'END'
		import sys
		import xml.etree.ElementTree as tree
		page = tree.parse(sys.argv[1])
		text = lambda one: " ".join("".join(one.itertext()).split())
		targets = {one.get("id") for one in page.iter()}
		links = [one.get("href") for one in page.iter("a") if one.get("href")]
		assert len(links) > 50
		assert [one for one in links if one[0] != "#" or one[1:] not in targets] == []
		assert "max-width" in text(page.find("head/style"))
		for one in page.iter():
		    if one.get("class") in ("Sh", "Ss") and one.tag != "section":
		        print(text(one))
		for one in page.iter("pre"):
		    print("".join(one.itertext()))
	END
	assert_status 0
	# mandoc puts its table of contents after the synopsis.
	assert_equal "$(sed '/^TABLE OF CONTENTS$/d' <<<"$output")" "$(titles && diagram)"
}

@test "the PDF holds every section in its place and the diagram, undistorted" {
	requires pdftotext python3
	pdftotext -layout "$docs/fry-run.1.pdf" text
	run squeezed <text
	holds "$output" "$(diagram | squeezed)"
	while read -r title; do
		rest=${output#*$'\n'"$title"$'\n'}
		[[ $rest != "$output" ]] || { echo "no section $title" >&2 && false; }
		output=$'\n'$rest
	done < <(titles)
	# The box around KILL is undistorted: its two borders and the word are in the right columns.
	pdftotext -bbox "$docs/fry-run.1.pdf" box
	python3 - <<-'END'
		import re
		places = re.findall(r'xMin="([\d.]+)" .* xMax="([\d.]+)" .*>(.*)</word>', open("box").read())
		boxes = [(float(left), float(right)) for left, right, word in places if word == "+------+"]
		assert len(boxes) == 2 and boxes[0] == boxes[1], boxes
		inside = boxes[0][0] + (boxes[0][1] - boxes[0][0]) * 2 / 8
		assert any(word == "KILL" and abs(float(left) - inside) < .5 for left, right, word in places)
	END
}

# --- the contents

@test "the manual page has exactly the options of --help, with equal values" {
	# --help explains -g and -c by two values of --scope.
	assert_equal "$(screen 200 | sed -n '/^OPTIONS/,/^PLACEMENT/s/^     -/-/p' | options)" \
		"$("$FRY_RUN" --help | sed -n 's/^ *-/-/p' | options | grep -vxE -e '--scope=(group|command)')"
}

# One a line; what stands for a value is in capitals in one of them.
options() {
	sed 's/ | /|/g' | grep -oE '(^|[ ,])--?[a-zA-Z][a-z-]*(=[^ ,]*)?' | tr -d ' ,' |
		sed 's/=[A-Z].*/\L&/; s/|[A-Z].*/\L&/' | sort -u
}

# The lines of the displays in EXAMPLES that call fry-run, what was broken put together.
examples() {
	screen 200 | sed -n '/^EXAMPLES/,/^DIAGNOSTICS/s/^           //p' | sed 's/^ *//' |
		sed ':more; /\\$/ { N; s/ *\\\n/ /; b more }' | grep fry-run
}

# Without a COMMAND, fry-run refuses valid options only for the missing COMMAND.
@test "fry-run accepts the options of every example of the manual page" {
	local line options count=0
	while IFS= read -r line; do
		line=${line#*fry-run}
		read -ra options <<<"$(tr '"],' ' ' <<<"$line " | sed 's/ -- .*//')"
		if [[ ${options[*]} == --pause ]]; then
			run -125 "$FRY_RUN" "${options[@]}" -- true
			assert_lines - 'fry-run: true: --pause runs no command'
		else
			assert_match "$line" '* *--*'
			run -125 "$FRY_RUN" "${options[@]}"
			assert_lines - 'fry-run: no COMMAND was given: see fry-run --help'
		fi
		((++count))
	done < <(examples)
	at_least "$count" 20
}

# --- the picture

@test "the README's picture is what a run draws now, and only fry-run leaves nothing in it" {
	cmp "$docs/leak.svg" "$REPO/doc/leak.svg"
	cmp "$BATS_FILE_TMPDIR/tree/doc/leak.svg" "$REPO/doc/leak.svg"
	requires python3
	run python3 - "$docs/leak.svg" <<-'END'
		import sys
		import xml.etree.ElementTree as tree
		for one in tree.parse(sys.argv[1]).iter("{http://www.w3.org/2000/svg}text"):
		    print(one.text.split(" bash ")[0])
	END
	assert_lines - '$ cat step.sh' 'setsid sleep 1001 &     # a daemon, as build tools start one' \
		'sleep 1002              # the task' '$' 'sleep 1001' 'sleep 1002' \
		'$ timeout 1h' 'sleep 1001' '$ tini -s -g --' 'sleep 1001' '$ dumb-init' 'sleep 1001' \
		'$ fry-run --' '(nothing)'
}

@test "the README's picture is not drawn where one of its commands is missing" {
	mkdir bin
	ln -s "$(command -v bash)" "$(command -v realpath)" bin/
	PATH=$PWD/bin run -1 bash "$REPO/doc/picture"
	assert_match "$output" 'picture: * is missing'
}

@test "fry-run does what its column of doc/comparison.md says" {
	requires root tmux vim less dialog python3 runc jq busybox
	for script in peers peers-tty; do
		PEERS_TOOLS=fry-run PEERS_WAIT=$WAIT_LIMIT "$REPO/test/$script" >"$script.table"
		(($(wc -l <"$script.table") > 10))
		# The first columns of a row of the page are a row of the table.
		while read -r row; do
			holds "$(<"$REPO/doc/comparison.md")" "$row"
		done < <(tail -n +3 "$script.table")
	done
}
