import sys

from . import doctor

report = doctor()
print(report)
sys.exit(0 if report.healthy else 1)
