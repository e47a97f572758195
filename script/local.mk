EXTRA_DIST += script/build-lib.sh script/run script/sample-service script/setup script/test
