# Asks and prints the answer: tclsh requester.tcl ?subject? ?text?
package require polynats

if {[lindex $argv 0] in {--help -h}} {
    puts "usage: tclsh requester.tcl ?subject? ?text?"
    exit
}

lassign [concat $argv [lrange {svc.upper hello} $argc end]] subject text
set nc [polynats connect]
try {
    puts [dict get [$nc request $subject $text -timeout 2] data]
} trap {POLYNATS TIMEOUT} {} - trap {POLYNATS NO_RESPONDERS} {text options} {
    puts stderr "[lindex [dict get $options -errorcode] 1]: $text"
    exit 1
}
$nc close
